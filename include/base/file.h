/* SPDX-License-Identifier: MIT */
/* Small files: facts of the host, and notes that one process leaves for the next. */
#ifndef TALOSVIP_BASE_FILE_H
#define TALOSVIP_BASE_FILE_H

#include <stddef.h>

/* What stands alone in a file like machine-id(5): letters, digits and '-', and white space at the
 * end. 0, -EBADMSG, -errno. */
int file_read_id(const char *path, char *out, size_t size);

/* All of a file that only we or root can have written, terminated; `size` counts the NUL. 0,
 * -EPERM when somebody else could, -EMSGSIZE, -EBADMSG for a NUL in it, -errno. */
int file_read_own(const char *path, char *out, size_t size);

/* Puts `text` in the place of whatever is there, mode 0600: a reader finds the old or the new, and
 * never a part. 0 or -errno. */
int file_replace(const char *path, const char *text, size_t len);

/* Makes the folder of `path` where it is missing, mode 0755; no folders above it. 0 or -errno. */
int file_make_folder(const char *path);

#endif
