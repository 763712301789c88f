/* SPDX-License-Identifier: MIT */
#define NCURSES_WIDECHAR 1
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "keys.h"

#define SIGNALS 6
#define RESTORE_MAX 256
#define COPY_MAX 2048
#define STDERR_MAX 65536

struct screen {
    struct screen_config config;
    SCREEN *curses;
    FILE *in, *out;
    int fd; /* keys */
    bool owns_in, is_open;
    unsigned colors; /* 0, 8 or 256 */
    struct loop_io *io;
    struct loop_signal *signals[SIGNALS];
    attr_t styles[2][STYLE_COUNT]; /* without and with colours */
    short pairs[STYLE_COUNT];
};

/* What a signal handler needs to give the terminal back. */
static struct {
    volatile sig_atomic_t is_on, has_mouse;
    int fd;
    struct termios termios;
    char text[RESTORE_MAX];
    size_t len;
    int stderr_fd, stderr_file; /* -1: stderr was left alone */
} saved = {.stderr_fd = -1, .stderr_file = -1};

static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT};

/* Only what may be called from a signal handler. */
static void restore_stderr(void)
{
    char text[1024];
    off_t at = 0;
    ssize_t n;
    if (saved.stderr_fd < 0)
        return;
    dup2(saved.stderr_fd, STDERR_FILENO);
    while (at < STDERR_MAX && (n = pread(saved.stderr_file, text, sizeof(text), at)) > 0) {
        if (write(STDERR_FILENO, text, (size_t)n) < 0)
            break;
        at += n;
    }
    close(saved.stderr_fd);
    close(saved.stderr_file);
    saved.stderr_fd = saved.stderr_file = -1;
}

static void restore_terminal(void)
{
    /* What curses switches on: clicks (1000), reported in the SGR way (1006). */
    static const char mouse_off[] = "\033[?1006l\033[?1000l";
    if (!saved.is_on)
        return;
    saved.is_on = 0;
    if (saved.has_mouse && write(saved.fd, mouse_off, sizeof(mouse_off) - 1) < 0)
        return;
    if (write(saved.fd, saved.text, saved.len) >= 0)
        tcsetattr(saved.fd, TCSANOW, &saved.termios);
    restore_stderr();
}

static void on_crash(int signum)
{
    restore_terminal();
    raise(signum); /* its default again: SA_RESETHAND */
}

static void watch_crashes(bool is_on)
{
    struct sigaction action = {.sa_handler = is_on ? on_crash : SIG_DFL,
                               .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        sigaction(crashes[i], &action, NULL);
}

static void remember(const char *capability)
{
    const char *text = tigetstr(capability);
    if (text == NULL || text == (const char *)-1)
        return;
    for (; *text && saved.len + 1 < sizeof(saved.text); text++) {
        if (text[0] == '$' && text[1] == '<') { /* padding is for hardware */
            text += strcspn(text, ">");
            if (*text == '\0')
                return;
            continue;
        }
        saved.text[saved.len++] = *text;
    }
}

/* Messages would tear the screen; they wait in memory. */
static void hold_stderr(void)
{
    int file = isatty(STDERR_FILENO) ? memfd_create("stderr", MFD_CLOEXEC) : -1;
    if (file < 0)
        return;
    int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0 || dup2(file, STDERR_FILENO) < 0) {
        close(file);
        if (copy >= 0)
            close(copy);
        return;
    }
    saved.stderr_fd = copy;
    saved.stderr_file = file;
}

static void remember_terminal(struct screen *s)
{
    saved.len = 0;
    saved.fd = fileno(s->out);
    remember("sgr0");
    remember("op");
    remember("rmkx");
    remember("cnorm");
    remember("rmcup");
    saved.is_on = 1;
}

static void choose_styles(struct screen *s)
{
    static const struct {
        short color256, color8;
    } colors[STYLE_COUNT] = {[STYLE_GOOD] = {34, COLOR_GREEN},
                             [STYLE_WARN] = {172, COLOR_YELLOW},
                             [STYLE_CRIT] = {160, COLOR_RED}};
    static const attr_t common[STYLE_COUNT] = {[STYLE_WARN] = A_BOLD,
                                               [STYLE_CRIT] = A_BOLD | A_REVERSE,
                                               [STYLE_DIM] = A_DIM,
                                               [STYLE_TITLE] = A_BOLD,
                                               [STYLE_HEAD] = A_BOLD};
    for (unsigned i = 0; i < STYLE_COUNT; i++)
        s->styles[0][i] = s->styles[1][i] = common[i];
    s->styles[0][STYLE_UNKNOWN] = A_UNDERLINE;
    s->styles[0][STYLE_DIM] = A_NORMAL;
    s->colors = 0;
    if (!has_colors() || start_color() == ERR || use_default_colors() == ERR || COLORS < 8)
        return;
    s->colors = COLORS >= 256 ? 256 : 8;
    s->styles[1][STYLE_UNKNOWN] = s->colors == 256 ? A_DIM : A_NORMAL;
    for (short i = 0; i < STYLE_COUNT; i++) {
        short color = s->colors == 256 ? colors[i].color256 : colors[i].color8;
        if (colors[i].color8 == 0)
            continue;
        s->pairs[i] = i;
        init_pair(i, color, -1);
    }
    if (s->colors == 8) { /* yellow letters vanish on a light background; these never do */
        s->styles[1][STYLE_WARN] = A_NORMAL;
        init_pair(STYLE_WARN, COLOR_BLACK, COLOR_YELLOW);
    }
}

void screen_size(const struct screen *screen, unsigned *ret_width, unsigned *ret_height)
{
    (void)screen;
    *ret_width = (unsigned)COLS;
    *ret_height = (unsigned)LINES;
}

static void resize(struct screen *s)
{
    struct winsize size;
    if (ioctl(fileno(s->out), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    s->config.on_resize(s->config.arg, (unsigned)COLS, (unsigned)LINES);
}

void screen_suspend(struct screen *s)
{
    endwin();
    fflush(s->out);
    raise(SIGSTOP); /* SIGCONT brings the screen back */
}

/* Whoever had the terminal meanwhile, a shell for example, may have changed all of it. */
static void resume(struct screen *s)
{
    reset_prog_mode();
    clearok(curscr, TRUE);
    resize(s);
    s->config.on_resume(s->config.arg);
}

static void on_signal(void *arg, int signum)
{
    struct screen *s = arg;
    if (signum == SIGWINCH)
        resize(s);
    else if (signum == SIGTSTP)
        screen_suspend(s);
    else if (signum == SIGCONT)
        resume(s);
    else
        s->config.on_end(s->config.arg, signum == SIGHUP   ? SCREEN_HANGUP
                                        : signum == SIGINT ? SCREEN_INTERRUPTED
                                                           : SCREEN_TERMINATED);
}

static int translate(int status, wint_t c)
{
    static const struct {
        int curses, key;
    } keys[] = {{KEY_UP, KEY_ARROW_UP},     {KEY_DOWN, KEY_ARROW_DOWN},
                {KEY_LEFT, KEY_ARROW_LEFT}, {KEY_RIGHT, KEY_ARROW_RIGHT},
                {KEY_PPAGE, KEY_PAGE_UP},   {KEY_NPAGE, KEY_PAGE_DOWN},
                {KEY_HOME, KEY_TO_START},   {KEY_END, KEY_TO_END},
                {KEY_BTAB, KEY_BACK_TAB},   {KEY_F(1), KEY_HELP_F1},
                {KEY_BACKSPACE, KEY_ERASE}, {KEY_DC, KEY_ERASE},
                {KEY_ENTER, KEY_RETURN},    {KEY_F(10), 'q'}};
    if (status != KEY_CODE_YES)
        return (int)c;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].curses == (int)c)
            return keys[i].key;
    return 0;
}

static void click(struct screen *s)
{
    MEVENT event;
    if (getmouse(&event) != OK)
        return;
    if (event.bstate & BUTTON4_PRESSED)
        s->config.on_key(s->config.arg, KEY_ARROW_UP);
#ifdef BUTTON5_PRESSED
    else if (event.bstate & BUTTON5_PRESSED)
        s->config.on_key(s->config.arg, KEY_ARROW_DOWN);
#endif
    else if (event.x >= 0 && event.y >= 0)
        s->config.on_click(s->config.arg, (unsigned)event.y, (unsigned)event.x);
}

static void on_input(void *arg, int fd, unsigned what)
{
    struct screen *s = arg;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool had_key = false;
    (void)what;
    for (wint_t c; s->is_open;) {
        int status = get_wch(&c);
        if (status == ERR)
            break;
        had_key = true;
        int key = translate(status, c);
        if (status == KEY_CODE_YES && c == KEY_MOUSE)
            click(s);
        else if (key != 0)
            s->config.on_key(s->config.arg, key);
    }
    /* Readable, and yet nothing to read: the other side is gone. */
    if (s->is_open && poll(&p, 1, 0) > 0 &&
        (p.revents & (POLLHUP | POLLERR | POLLNVAL) || !had_key))
        s->config.on_end(s->config.arg, SCREEN_HANGUP);
}

static int watch_signals(struct screen *s)
{
    static const int list[SIGNALS] = {SIGHUP, SIGINT, SIGTERM, SIGWINCH, SIGTSTP, SIGCONT};
    int r = 0;
    for (unsigned i = 0; i < SIGNALS && r == 0; i++) {
        struct sigaction old;
        if (sigaction(list[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue; /* who started us wants it so */
        r = loop_signal_new(s->config.loop, list[i], on_signal, s, &s->signals[i]);
    }
    return r;
}

static int open_streams(struct screen *s)
{
    if (!isatty(STDOUT_FILENO))
        return -ENOTTY;
    s->out = stdout;
    s->in = stdin;
    if (!isatty(STDIN_FILENO)) {
        s->in = fopen("/dev/tty", "re");
        s->owns_in = s->in != NULL;
        if (!s->in)
            return -ENOTTY;
    }
    s->fd = fileno(s->in);
    int error = 0;
    if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
        return -ENODEV;
    bool can_move = tigetstr("cup") != NULL;
    del_curterm(cur_term);
    if (!can_move) /* "dumb" and the like */
        return -ENODEV;
    return tcgetattr(STDOUT_FILENO, &saved.termios) == 0 ? 0 : -errno;
}

static int start_curses(struct screen *s)
{
    s->curses = newterm(NULL, s->out, s->in);
    if (!s->curses)
        return -ENODEV;
    set_term(s->curses);
    s->is_open = true;
    set_escdelay(25);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    intrflush(stdscr, FALSE);
    leaveok(stdscr, TRUE);
    curs_set(0);
    choose_styles(s);
    return 0;
}

int screen_open(const struct screen_config *config, struct screen **ret_screen)
{
    struct screen *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->fd = -1;
    int r = open_streams(s);
    if (r == 0) /* before curses, which would set handlers of its own where there are none */
        r = watch_signals(s);
    if (r == 0)
        r = start_curses(s);
    if (r == 0) {
        remember_terminal(s);
        hold_stderr();
        watch_crashes(true);
        atexit(restore_terminal);
        r = loop_io_new(config->loop, s->fd, LOOP_READ, on_input, s, &s->io);
    }
    if (r < 0) {
        screen_close(s);
        return r;
    }
    *ret_screen = s;
    return 0;
}

void screen_abandon(struct screen *s)
{
    struct pollfd p = {.fd = saved.fd, .events = POLLOUT};
    s->is_open = false;
    /* A hangup that somebody only signalled leaves a terminal to give back. */
    if (poll(&p, 1, 0) > 0 && !(p.revents & (POLLHUP | POLLERR)))
        restore_terminal();
    saved.is_on = 0;
}

void screen_close(struct screen *s)
{
    if (!s)
        return;
    loop_io_free(s->io);
    for (unsigned i = 0; i < SIGNALS; i++)
        loop_signal_free(s->signals[i]);
    if (s->is_open) {
        screen_mouse(s, false);
        endwin();
        fflush(s->out);
        restore_terminal();
        watch_crashes(false);
    }
    if (s->curses)
        delscreen(s->curses);
    if (s->owns_in)
        fclose(s->in);
    free(s);
}

/* Unicode's block elements, of bars and sparklines. */
static bool is_block(uint32_t code)
{
    return code >= 0x2580 && code <= 0x259f;
}

void screen_draw(struct screen *s, const struct canvas *canvas, bool has_color)
{
    bool is_colored = has_color && s->colors > 0;
    for (unsigned row = 0; row < canvas->height && row < (unsigned)LINES; row++) {
        const struct cell *cells = canvas_row(canvas, row);
        for (unsigned col = 0; col < canvas->width && col < (unsigned)COLS; col++) {
            unsigned style = cells[col].style & 0x3f;
            if (cells[col].cells == 0)
                continue;
            attr_t attributes = s->styles[is_colored][style];
            bool is_inverse =
                attributes & A_REVERSE || (is_colored && s->colors == 8 && style == STYLE_WARN);
            if (is_inverse && is_block(cells[col].code))
                attributes ^= A_REVERSE; /* else a full cell would look like an empty one */
            if (cells[col].style & STYLE_SELECTED)
                attributes = (attributes & ~A_DIM) | A_REVERSE;
            if (cells[col].style & STYLE_MATCH)
                attributes = (attributes ^ A_REVERSE) | A_BOLD;
            wchar_t text[2] = {(wchar_t)cells[col].code, L'\0'};
            cchar_t wide;
            setcchar(&wide, text, attributes, is_colored ? s->pairs[style] : 0, NULL);
            mvadd_wch((int)row, (int)col, &wide);
        }
    }
    wnoutrefresh(stdscr);
    doupdate();
}

void screen_repaint(struct screen *s)
{
    (void)s;
    clearok(curscr, TRUE);
}

void screen_mouse(struct screen *s, bool is_on)
{
    (void)s;
    mousemask(is_on ? (mmask_t)(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON4_PRESSED
#ifdef BUTTON5_PRESSED
                                | BUTTON5_PRESSED
#endif
                                )
                    : 0,
              NULL);
    mouseinterval(0);
    saved.has_mouse = is_on && has_mouse();
}

void screen_copy(struct screen *s, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)text;
    size_t len = strnlen(text, COPY_MAX);
    fputs("\033]52;c;", s->out);
    for (size_t i = 0; i < len; i += 3) {
        unsigned n = (unsigned)in[i] << 16 | (i + 1 < len ? (unsigned)in[i + 1] << 8 : 0) |
                     (i + 2 < len ? in[i + 2] : 0);
        fputc(digits[n >> 18], s->out);
        fputc(digits[n >> 12 & 63], s->out);
        fputc(i + 1 < len ? digits[n >> 6 & 63] : '=', s->out);
        fputc(i + 2 < len ? digits[n & 63] : '=', s->out);
    }
    fputs("\a", s->out);
    fflush(s->out);
}
