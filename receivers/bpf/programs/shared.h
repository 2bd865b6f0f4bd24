/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the programs and user space tell each other. The Rust side reads and writes these by offset
 * (receivers/bpf/src/wire), so every field has its natural alignment and there is no hidden padding.
 */
#ifndef DEFERD_SHARED_H
#define DEFERD_SHARED_H

#include "kernel.h"

/* A target is known by its slot, which the cookie of each of its breakpoints carries: slot << 16 | role. */
#define MAX_SLOTS 1024

enum role { ROLE_SELF_TEST, ROLE_RETURN, ROLE_RAISE, ROLE_RECOVERY, ROLE_FATAL_PANIC, ROLE_GOEXIT, ROLE_THROW, ROLE_OPEN, ROLE_CLOSE };

/* Written by user space: what is known of a target, and what is wanted. Offsets are those of its Go version. */
struct target {
	u32 pid; /* as the agent sees it; 0: no target */
	u32 sample_mask; /* of the hits of deferreturn, one in mask + 1 is looked into */
	u32 max_records; /* of one frame that are walked */
	u32 records_per_second; /* of panics, per site */
	u64 return_limit; /* hits of one CPU in an epoch at which user space is told */
	u64 raise_limit;
	u64 epoch; /* user space begins another whenever it has looked */
	u64 walk_limit; /* nanoseconds of one CPU in an epoch after which nothing is looked into */
	u32 g_goid, g_sigcode0; /* in runtime.g; the latter in Go 1.21, else 0 */
	u32 defer_link, defer_rangefunc; /* in runtime._defer; the latter is 0 in Go 1.21 */
	u32 panic_arg, panic_sp, panic_retpc, panic_recovered; /* in runtime._panic; sp and retpc 0 in Go 1.21 */
	u32 m_curg; /* in runtime.m */
	u32 zero;
};

/* What one CPU saw of a target since the slot was taken. */
struct usage {
	u64 returns; /* hits of deferreturn */
	u64 sampled; /* of them, looked into */
	u64 records; /* found in those */
	u64 records_squared; /* sum of the squares of the numbers of records */
	u64 cut; /* walks that ended at max_records or at memory that could not be read */
	u64 walk_nanoseconds;
	u64 raises, recoveries, others; /* hits */
	u64 opens, closes;
	u64 ticks;
	u64 lost; /* records that found the ring buffer full */
	u64 unpaired; /* recoveries whose panic is not known */
	u64 uncounted; /* panics whose site found the table full */
	u64 panic_nanoseconds; /* spent in the programs for panics */
	u64 epoch, epoch_returns, epoch_raises, epoch_walk; /* the latest in which there was a hit, and what was in it */
};

struct site_key {
	u32 slot, zero;
	u64 pc; /* return address of the registering call; 0: all further sites of a frame */
};

#define BUCKETS 24

/* What was found at a site in the frames that were looked into. */
struct site {
	u64 frames, records, records_squared;
	u64 by_length[BUCKETS]; /* frames with up to 1, 2, 4, ... records of the site */
};

#define SITE_PCS 4

/* Panics are told apart by the innermost return addresses of the raise, and recoveries also by where the program goes on. */
struct panic_key {
	u32 slot;
	u32 stage;
	u64 pcs[SITE_PCS];
	u64 resumes;
};

struct panic_count {
	u64 count;
	u64 second; /* of the latest record */
	u64 in_second; /* records in it */
};

enum stage { STAGE_RAISED, STAGE_RECOVERED, STAGE_REPLACED, STAGE_FATAL, STAGE_GOEXIT, STAGE_THROW };

struct goroutine_key {
	u32 slot, zero;
	u64 goid;
};

#define MAX_IN_FLIGHT 4

/* A panic that was raised and is neither recovered nor replaced. */
struct in_flight {
	u64 id;
	u64 sp;
	u64 pcs[SITE_PCS];
	u64 recorded;
};

struct flight {
	u64 depth; /* of those, the latest MAX_IN_FLIGHT are kept */
	struct in_flight panics[MAX_IN_FLIGHT];
};

enum kind { KIND_SELF_TEST = 1, KIND_OVER, KIND_PANIC, KIND_TICK };

struct head {
	u32 kind, slot;
};

struct self_test {
	struct head head;
	u32 pid, level; /* in the outermost namespace; level of the agent's own */
};

struct over {
	struct head head;
	u32 role, zero;
};

#define FRAMES 40
#define DATA 64
#define TEXT 256
#define TEXTS 3

struct panic_record {
	struct head head;
	u64 time; /* CLOCK_MONOTONIC, nanoseconds */
	u64 id; /* of the panic within the target */
	u64 goid;
	u32 stage;
	u32 frames;
	u64 value_type, value_data; /* the two words of the interface */
	u64 resumes; /* return address at which the program goes on after a recovery */
	u32 data_length;
	u32 texts;
	u64 text_address[TEXTS];
	u64 text_full[TEXTS]; /* length of the whole string */
	u64 pcs[FRAMES];
	u8 data[DATA];
	u8 text[TEXTS][TEXT];
};

struct tick {
	struct head head;
	u64 pc; /* 0 in the kernel */
	u32 chain; /* records of the goroutine that runs, up to 256 */
	u32 zero;
};

struct file_key {
	u32 slot, fd;
};

#define FILE_PCS 10

struct file {
	u64 pcs[FILE_PCS];
};

/* The agent itself. */
struct agent {
	u32 level; /* of its pid namespace, from the self-test */
	u32 zero;
};

#endif
