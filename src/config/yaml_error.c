/* SPDX-License-Identifier: MIT */
#include "yaml_error.h"

#include "yaml_parse.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct phrase {
    const char *problem; /* begins like this */
    const char *message;
    const char *help;
};

static const struct phrase phrases[] = {
    {"found character that cannot start any token", "a value cannot begin with this character",
     "put it in quotes"},
    {"mapping values are not allowed in this context", "a ':' where no key can be",
     "quote the text if it holds ': ', or check the indentation"},
    {"did not find expected key", "a key was expected here",
     "check the indentation and the quotes"},
    {"did not find expected '-' indicator", "a list item was expected here",
     "check the indentation: items of one list begin in one column"},
    {"could not find expected ':'", "a ':' is missing", "a key is written as \"key: value\""},
    {"found unexpected end of stream", "the text in quotes does not end", NULL},
    {"found unexpected document indicator", "the text in quotes does not end", NULL},
    {"did not find expected ',' or ']'", "a ',' or ']' is missing", NULL},
    {"did not find expected ',' or '}'", "a ',' or '}' is missing", NULL},
    {"did not find expected <document start>", "text behind the end of the document",
     "begin another document with a line of ---"},
    {"found unknown escape character", "no such escape in double quotes",
     "write \\\\ for a backslash, or use single quotes"},
    {"found undefined tag handle", "unknown tag", "text that begins with ! must be quoted"},
    {"found duplicate anchor", "two anchors of the same name", NULL},
    {"block sequence entries are not allowed in this context", "a list item cannot begin here",
     "put it on a line of its own"},
};

static const struct phrase *phrase_for(const char *problem)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (strncmp(problem, phrases[i].problem, strlen(phrases[i].problem)) == 0)
            return &phrases[i];
    return NULL;
}

/* A tab before the first other character of a line, and a problem at or behind it. */
static bool is_tab_indent(const struct yaml_source *source, size_t byte, size_t *ret_column)
{
    size_t len;
    const char *line = yaml_source_line(source, byte, &len);
    for (size_t i = 0; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
        if (line[i] == '\t') {
            *ret_column = i;
            return true;
        }
    return false;
}

static struct finding_place place_at(const struct yaml_source *source, const yaml_mark_t *mark)
{
    size_t offset = yaml_source_offset(source, mark->index);
    unsigned line = (unsigned)mark->line + 1, column = (unsigned)mark->column + 1;
    return (struct finding_place){.file = source->name,
                                  .line = line,
                                  .column = column,
                                  .offset = offset,
                                  .end_line = line,
                                  .end_column = column + 1,
                                  .end_offset = offset + 1};
}

static void report_tab(struct yaml_parse *parse, struct finding_place at, size_t column)
{
    at.offset += column + 1 - at.column;
    at.column = (unsigned)column + 1;
    at.end_column = at.column + 1;
    at.end_offset = at.offset + 1;
    struct finding *f = finding_add(parse->findings, "TV001", &at, "a tab in the indentation");
    finding_set_help(parse->findings, f, "YAML is indented with spaces only");
}

int yaml_error_report(struct yaml_parse *parse, const struct yaml_parser_s *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    const char *problem = parser->problem ? parser->problem : "not YAML";
    struct finding_place at = place_at(&parse->source, &parser->problem_mark);
    size_t column;
    at.document = parse->document ? parse->document : 1;
    if (is_tab_indent(&parse->source, at.offset - parse->source.bom, &column)) {
        report_tab(parse, at, column);
        return -EINVAL;
    }
    const struct phrase *phrase = phrase_for(problem);
    struct finding *f =
        finding_add(parse->findings, "TV001", &at, "%s", phrase ? phrase->message : problem);
    if (phrase && phrase->help)
        finding_set_help(parse->findings, f, "%s", phrase->help);
    /* Where the quotes or brackets began tells more than where the file ends. */
    if (parser->context && parser->context_mark.line != parser->problem_mark.line) {
        struct finding_place begin = place_at(&parse->source, &parser->context_mark);
        finding_add_related(parse->findings, f, &begin, "it began here");
    }
    return -EINVAL;
}
