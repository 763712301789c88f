/* SPDX-License-Identifier: MIT */
/* sim [--peers] [--schedules N] [--seed S] [--jobs J] [--replay SEED] [--stories] */
#include "world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    uint64_t done, steps;
    uint64_t bad_seed;
    bool is_bad;
};

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int replay(struct world *w, uint64_t seed, const char *program)
{
    world_run(w, seed);
    if (!w->violation) {
        printf("seed %" PRIu64 ": all invariants hold (%" PRIu64 " steps)\n", seed, w->steps);
        return 0;
    }
    printf("seed %" PRIu64 " breaks %s: %s\nlast steps:\n", seed, w->violation, w->violation_text);
    unsigned first = w->traced > TRACE_MAX ? w->traced - TRACE_MAX : 0;
    for (unsigned i = first; i < w->traced; i++)
        printf("  %s\n", w->trace[i % TRACE_MAX]);
    printf("replay: %s --replay %" PRIu64 "\n", program, seed);
    return 1;
}

/* I8: the same seed gives the same trace. */
static bool is_repeatable(struct world *w, uint64_t seed)
{
    world_run(w, seed);
    uint64_t hash = w->trace_hash;
    world_run(w, seed);
    return hash == w->trace_hash;
}

static void work(struct world *w, struct shared *mine, const struct shared *all, unsigned jobs,
                 uint64_t first, uint64_t n, uint64_t stride)
{
    for (uint64_t i = first; i < first + n; i += stride) {
        for (unsigned j = 0; j < jobs; j++)
            if (all[j].is_bad)
                return;
        world_run(w, i);
        mine->steps += w->steps;
        mine->done++;
        bool is_sample = (i - first) / stride % 512 == 0;
        if (w->violation || (is_sample && !is_repeatable(w, i))) {
            mine->bad_seed = i;
            mine->is_bad = true;
            return;
        }
    }
}

static int run_all(struct world *w, uint64_t first, uint64_t n, unsigned jobs, const char *program)
{
    struct shared *all =
        mmap(NULL, jobs * sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double start = seconds();
    uint64_t done = 0, steps = 0;
    if (all == MAP_FAILED)
        return 70;
    for (unsigned j = 0; j < jobs; j++)
        if (fork() == 0) {
            work(w, &all[j], all, jobs, first + j, n > j ? n - j : 0, jobs);
            _exit(0);
        }
    int status, failed = 0;
    while (wait(&status) > 0)
        failed |= status;
    for (unsigned j = 0; j < jobs; j++) {
        done += all[j].done;
        steps += all[j].steps;
        if (all[j].is_bad) {
            if (replay(w, all[j].bad_seed, program) == 0)
                printf("seed %" PRIu64 " breaks I8: two runs differ\n", all[j].bad_seed);
            return 1;
        }
    }
    if (failed || done < n) {
        printf("sim: a worker died (status %d) after %" PRIu64 " schedules\n", failed, done);
        return 70;
    }
    double took = seconds() - start;
    printf("%" PRIu64 " schedules, %" PRIu64 " steps, seeds %" PRIu64 "..%" PRIu64
           ", all invariants hold: %.0f schedules/s\n",
           done, steps, first, first + n - 1, (double)done / took);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"schedules", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},      {"replay", required_argument, NULL, 'r'},
        {"stories", no_argument, NULL, 't'},         {"verbose", no_argument, NULL, 'v'},
        {"peers", no_argument, NULL, 'p'},           {NULL, 0, NULL, 0}};
    uint64_t n = 10000, seed = 1, one = 0;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned jobs = cpus > 0 ? (unsigned)cpus : 1;
    bool is_replay = false, has_stories = false, is_verbose = false;
    bool is_peers_only = false;
    for (int c; (c = getopt_long(argc, argv, "n:s:j:r:tvp", options, NULL)) != -1;) {
        switch (c) {
        case 'n':
            n = strtoull(optarg, NULL, 10);
            break;
        case 's':
            seed = strtoull(optarg, NULL, 10);
            break;
        case 'j':
            jobs = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            is_replay = true;
            one = strtoull(optarg, NULL, 10);
            break;
        case 't':
            has_stories = true;
            break;
        case 'v':
            is_verbose = true;
            break;
        case 'p':
            is_peers_only = true;
            break;
        default:
            return 2;
        }
    }
    if (has_stories)
        return stories_run(is_verbose);
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return 70;
    w->is_verbose = is_verbose;
    w->is_peers_only = is_peers_only;
    int r = is_replay ? replay(w, one, argv[0]) : run_all(w, seed, n, jobs ? jobs : 1, argv[0]);
    free(w);
    return r;
}
