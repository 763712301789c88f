/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target once over each file of a corpus, without a fuzzer. The files and folders are
 * the arguments; the exit code is 1 when something could not be read, or when there was nothing. */
#include <errno.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input ends where its memory ends, so that reading past it is noticed. */
static int run_file(const char *path, off_t size)
{
    int r = -EFBIG;
    if (size < 0 || size > (off_t)INPUT_MAX)
        return r;
    size_t n = (size_t)size;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return -errno;
    uint8_t *data = malloc(n ? n : 1);
    r = !data ? -ENOMEM : fread(data, 1, n, file) != n ? -EIO : 0;
    fclose(file);
    if (r == 0)
        LLVMFuzzerTestOneInput(data, n);
    free(data);
    return r;
}

int main(int argc, char **argv)
{
    unsigned run = 0, failed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
        return 2;
    }
    FTS *fts = fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
    if (!fts) {
        perror("fts_open");
        return 1;
    }
    for (const FTSENT *entry; (entry = fts_read(fts));) {
        int r = 0;
        if (entry->fts_info == FTS_F)
            r = run_file(entry->fts_path, entry->fts_statp->st_size);
        else if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS ||
                 entry->fts_info == FTS_DNR)
            r = -entry->fts_errno;
        if (r < 0) {
            fprintf(stderr, "%s: %s\n", entry->fts_path, strerror(-r));
            failed++;
        } else if (entry->fts_info == FTS_F) {
            run++;
        }
    }
    fts_close(fts);
    printf("%s: %u inputs, %u not read\n", argv[0], run, failed);
    return failed || run == 0 ? 1 : 0;
}
