/* SPDX-License-Identifier: MIT */
/* The help, written from the command and option tables. */
#include "table.h"

#include "base/buf.h"

#include <string.h>

#define COLUMN 29  /* where the explanation of a flag begins */
#define EXAMPLE 41 /* and of an example */
#define WIDTH 80

static void print_example(FILE *out, const struct example *example)
{
    fprintf(out, "  talosvip %-*s  %s\n", EXAMPLE - 13, example->line, example->what);
}

static void print_examples(FILE *out, const struct example *examples)
{
    for (; examples->line; examples++)
        print_example(out, examples);
}

/* The flags that nearly every command has; the rest is in the help of each. */
static void print_common(FILE *out)
{
    fputs("\nConnection:\n"
          "  -e, --endpoints URLS     etcd [$TALOSVIP_ENDPOINTS, $ETCDCTL_ENDPOINTS]\n"
          "      --cacert, --cert, --key FILE   TLS files [$ETCDCTL_CACERT, ...]\n"
          "      --context NAME       settings from ~/.config/talosvip/config.yaml\n"
          "Output:\n"
          "  -o, --output FORMAT      see: talosvip help output\n"
          "      --color WHEN         auto, always, never; also $NO_COLOR\n",
          out);
}

static void print_topics(FILE *out)
{
    char name[MANUAL_NAME_MAX];
    const char *what;
    int column = fprintf(out, "\nMore: talosvip help <command>") - 1;
    for (size_t i = 0; help_topic(i, name, &what); i++) {
        if (column + (int)strlen(name) + 3 > WIDTH)
            column = fprintf(out, "\n     ") - 1;
        column += fprintf(out, " | %s", name);
    }
    fputs("\n", out);
}

void help_overview(FILE *out)
{
    fputs("talosvip - keep a virtual IP on exactly one healthy node, and see that it is\n\n"
          "Examples:\n",
          out);
    static const struct command *const first[] = {&cmd_status,  &cmd_top,    &cmd_validate,
                                                  &cmd_history, &cmd_resign, &cmd_run};
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        print_example(out, first[i]->examples);
    fputs("\n", out);
    for (size_t g = 0; command_groups[g]; g++) {
        fprintf(out, "%s:%*s", command_groups[g], (int)(9 - strlen(command_groups[g])), "");
        const char *gap = "";
        for (size_t i = 0; command_table[i]; i++) {
            if (strcmp(command_table[i]->group, command_groups[g]) != 0)
                continue;
            fprintf(out, "%s%s", gap, command_table[i]->name);
            gap = "  ";
        }
        fputs("\n", out);
    }
    print_common(out);
    print_topics(out);
}

/* " [$TALOSVIP_TTL; 5s]": where a value comes from when the flag is not given. */
static void add_sources(struct buf *line, const struct option *option)
{
    const char *gap = "[";
    for (size_t i = 0; i < OPTION_ENV_MAX && option->env[i]; i++) {
        buf_printf(line, "%s$%s", gap, option->env[i]);
        gap = ", ";
    }
    if (option->fallback)
        buf_printf(line, "%s%s", option->env[0] ? "; " : gap, option->fallback);
    if (line->len > 0)
        buf_putc(line, ']');
}

static void print_option(FILE *out, const struct option *option)
{
    struct buf line, sources;
    char dash[8] = "    ";
    buf_init(&line, 0);
    buf_init(&sources, 0);
    if (option->letter)
        snprintf(dash, sizeof(dash), "-%c, ", option->letter);
    buf_printf(&line, "  %s--%s %s", dash, option->name, option->metavar ? option->metavar : "");
    if (line.len > COLUMN - 2) {
        fprintf(out, "%s\n", buf_str(&line));
        buf_clear(&line);
    }
    buf_printf(&line, "%*s%s", (int)(COLUMN - 1 - line.len), "", option->help);
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        buf_printf(&line, "%s%s", i ? ", " : ": ", option->choices[i]);
    add_sources(&sources, option);
    if (sources.len > 0 && line.len + 1 + sources.len > WIDTH)
        buf_printf(&line, "\n%*s%s", COLUMN - 1, "", buf_str(&sources));
    else if (sources.len > 0)
        buf_printf(&line, " %s", buf_str(&sources));
    fprintf(out, "%s\n", buf_str(&line));
    buf_done(&line);
    buf_done(&sources);
}

void help_command(FILE *out, const struct command *command)
{
    fprintf(out, "talosvip %s - %s\n\nUsage: talosvip %s%s%s\n\nExamples:\n", command->name,
            command->summary, command->name, *command->usage ? " " : "", command->usage);
    print_examples(out, command->examples);
    fputs("\nFlags:\n", out);
    for (const struct option *o = command->options; o->name; o++)
        print_option(out, o);
    fprintf(out, "  %-*s%s\n", COLUMN - 3, "-h, --help", "this text");
}
