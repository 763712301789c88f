/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "api/client.h"
#include "api/server.h"

#include <json-c/json.h>

static const char *const formats[] = {"human", "json", NULL};

enum { OUTPUT };

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT(formats, "human", "how to write it"),
    {.name = NULL},
};

static const struct example examples[] = {
    {"version -o json", "for scripts"},
    {NULL, NULL},
};

struct library {
    const char *name, *version;
};

#define LIBRARIES 3

static enum exit_code print_json(const struct library libraries[LIBRARIES])
{
    struct json_object *o = json_object_new_object(), *all = json_object_new_object();
    json_object_object_add(o, "version", json_object_new_string(TALOSVIP_VERSION));
    for (size_t i = 0; i < LIBRARIES; i++)
        json_object_object_add(all, libraries[i].name,
                               json_object_new_string(libraries[i].version));
    json_object_object_add(o, "libraries", all);
    const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;
    if (text)
        puts(text);
    json_object_put(o);
    return text ? EXIT_DONE : EXIT_BUG;
}

static enum exit_code run(const struct arguments *arguments)
{
    const struct library libraries[LIBRARIES] = {
        {"libcurl", api_client_library()},
        {"libevent", api_server_library()},
        {"json-c", json_c_version()},
    };
    if (arguments->values[OUTPUT].choice == 1)
        return print_json(libraries);
    printf("talosvip %s (", TALOSVIP_VERSION);
    for (size_t i = 0; i < LIBRARIES; i++)
        printf("%s%s %s", i ? ", " : "", libraries[i].name, libraries[i].version);
    puts(")");
    return EXIT_DONE;
}

const struct command cmd_version = {
    .name = "version",
    .group = "Other",
    .summary = "print the version of the program and of its libraries",
    .usage = "[-o FORMAT]",
    .examples = examples,
    .options = options,
    .run = run,
};
