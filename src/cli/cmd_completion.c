/* SPDX-License-Identifier: MIT */
/* The scripts of the shells, as they stand in completions/. */
#include "table.h"

#include <string.h>

/* The assembler takes the file's bytes as they are; paths are relative to the Makefile. */
#define SCRIPT(name, file)                                                                         \
    __asm__(".section .rodata\n" #name ":\n.incbin \"" file "\"\n.byte 0\n.previous\n");           \
    extern const char name[] __attribute__((visibility("hidden")))

SCRIPT(completion_bash, "completions/talosvip.bash");
SCRIPT(completion_zsh, "completions/_talosvip");
SCRIPT(completion_fish, "completions/talosvip.fish");

static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const char *const scripts[] = {completion_bash, completion_zsh, completion_fish};

static const struct option options[] = {{.name = NULL}};

static const struct example examples[] = {
    {"completion bash", "for ~/.bashrc: source <(talosvip completion bash)"},
    {NULL, NULL},
};

static enum exit_code run(const struct arguments *arguments)
{
    struct complaint complaint = {.what = ""};
    const char *shell = arguments->n_words ? arguments->words[0] : "";
    for (size_t i = 0; shells[i]; i++)
        if (strcmp(shell, shells[i]) == 0) {
            fputs(scripts[i], stdout);
            return EXIT_DONE;
        }
    if (*shell)
        complaint_set(&complaint, "no completion for \"%.100s\"", shell);
    else
        complaint_set(&complaint, "completion needs the name of a shell");
    if (!complaint_suggest(&complaint, shell, "", shells, 3))
        complaint_hint(&complaint, "it knows bash, zsh and fish");
    complaint_print(&complaint);
    return EXIT_USAGE;
}

const struct command cmd_completion = {
    .name = "completion",
    .group = "Other",
    .summary = "the completion script of a shell",
    .usage = "bash|zsh|fish",
    .examples = examples,
    .options = options,
    .words_max = 1,
    .verbs = shells,
    .run = run,
};
