/* SPDX-License-Identifier: MIT */
#include "world.h"
int stories_run(bool is_verbose) { (void)is_verbose; return 0; }
