/* SPDX-License-Identifier: MIT */
/* What an agent said about itself, as text for people. */
#ifndef TALOSVIP_CLI_STATUS_TEXT_H
#define TALOSVIP_CLI_STATUS_TEXT_H

#include "api/status.h"

/* Appends the lines. Names from elsewhere lose their control characters. */
void status_text(const struct api_status *status, struct buf *out);
/* Appends one "WARN  ..." line for each thing that is not as it should be; how many. */
unsigned status_warnings(const struct api_status *status, struct buf *out);

#endif
