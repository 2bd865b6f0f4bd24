/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Every map, and the short ways to them. */
#ifndef DEFERD_MAPS_H
#define DEFERD_MAPS_H

#include "shared.h"

struct {
	UINT(type, MAP_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, struct agent);
} agents SEC(".maps");

struct {
	UINT(type, MAP_ARRAY);
	UINT(max_entries, MAX_SLOTS);
	TYPE(key, u32);
	TYPE(value, struct target);
} targets SEC(".maps");

struct {
	UINT(type, MAP_PERCPU_ARRAY);
	UINT(max_entries, MAX_SLOTS);
	TYPE(key, u32);
	TYPE(value, struct usage);
} usages SEC(".maps");

struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 8192);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, struct site_key);
	TYPE(value, struct site);
} sites SEC(".maps");

/* A site of which nothing is known yet: too large for the stack. Never written. */
struct {
	UINT(type, MAP_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, struct site);
} empty_site SEC(".maps");

/* Preallocated: a panic may be raised where the kernel's allocator must not be entered. */
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 8192);
	TYPE(key, struct panic_key);
	TYPE(value, struct panic_count);
} panics SEC(".maps");

struct {
	UINT(type, MAP_LRU_HASH);
	UINT(max_entries, 4096);
	TYPE(key, struct goroutine_key);
	TYPE(value, struct flight);
} flights SEC(".maps");

struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, 65536);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, struct file_key);
	TYPE(value, struct file);
} files SEC(".maps");

/* From pid, as the agent sees it, to slot: for samples, which come without a cookie. */
struct {
	UINT(type, MAP_HASH);
	UINT(max_entries, MAX_SLOTS);
	TYPE(key, u32);
	TYPE(value, u32);
} slots SEC(".maps");

struct {
	UINT(type, MAP_RINGBUF);
	UINT(max_entries, 1 << 20);
} events SEC(".maps");

/* The process as the agent sees it: its number in the agent's pid namespace, whose level the self-test found. */
INLINE u32 current_pid(void)
{
	u32 zero = 0;
	struct agent *agent = bpf_map_lookup_elem(&agents, &zero);
	if (!agent)
		return 0;
	if (agent->level == 0)
		return bpf_get_current_pid_tgid() >> 32;
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = task->group_leader->thread_pid;
	struct upid number = {};
	u32 level = agent->level & 31;
	if (pid->level < level || bpf_probe_read_kernel(&number, sizeof(number), &pid->numbers[0] + level))
		return 0;
	return number.nr;
}

/* Programs may be preempted by each other, so that even what each CPU has for itself is counted like this. */
#define COUNT(counter, by) __sync_fetch_and_add(&(counter), (by))

struct hit {
	u32 slot;
	u32 role;
	struct target *target;
	struct usage *usage;
	u64 now;
	u64 goid;
};

/* Whose breakpoint it is. The pid is compared too: the filter of some kernels lets others through. */
INLINE int identify(void *context, struct hit *hit)
{
	u64 cookie = bpf_get_attach_cookie(context);
	hit->slot = cookie >> 16;
	hit->role = cookie & 0xffff;
	hit->target = bpf_map_lookup_elem(&targets, &hit->slot);
	hit->usage = bpf_map_lookup_elem(&usages, &hit->slot);
	return hit->target && hit->usage && hit->target->pid && hit->target->pid == current_pid();
}

/*
 * Wakes user space whatever else there is: left to itself the kernel wakes only whoever has read everything, and the
 * samples of the timer are there unread until somebody comes.
 */
INLINE void tell_now(void *event)
{
	bpf_ringbuf_submit(event, RB_FORCE_WAKEUP);
}

INLINE void tell_over(struct hit *hit)
{
	struct over *over = bpf_ringbuf_reserve(&events, sizeof(*over), 0);
	if (!over)
		return;
	over->head = (struct head){ KIND_OVER, hit->slot };
	over->role = hit->role;
	over->zero = 0;
	tell_now(over);
}

/* Counts a hit in the present epoch, and tells user space when there are as many as it is ready to pay for. */
#define COUNT_IN_EPOCH(hit, counter, limit) \
	do { \
		if ((hit)->usage->epoch != (hit)->target->epoch) { \
			(hit)->usage->epoch = (hit)->target->epoch; \
			(hit)->usage->epoch_returns = (hit)->usage->epoch_raises = (hit)->usage->epoch_walk = 0; \
		} \
		if (COUNT((hit)->usage->counter, 1) + 1 == (hit)->target->limit) \
			tell_over(hit); \
	} while (0)

INLINE u64 read_word(u64 address)
{
	u64 word = 0;
	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

INLINE u8 read_byte(u64 address)
{
	u8 byte = 0;
	bpf_probe_read_user(&byte, sizeof(byte), (void *)address);
	return byte;
}

#endif
