/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A timer on each CPU: what the targets that run do, and how many records the goroutine that runs has. */
#ifndef DEFERD_TICKS_H
#define DEFERD_TICKS_H

#include "returns.h"

#define G_M 0x30
#define LONGEST_CHAIN 256

struct chain {
	u64 next;
	u32 link;
	u32 zero;
};

static long follow(u64 index, struct chain *chain)
{
	if (!chain->next)
		return 1;
	chain->next = read_word(chain->next + (chain->link == 0x28 ? 0x28 : 0x20));
	return 0;
}

SEC("perf_event")
int on_tick(struct sample *sample)
{
	u32 pid = current_pid();
	u32 *slot = bpf_map_lookup_elem(&slots, &pid);
	if (!slot)
		return 0;
	u32 index = *slot;
	struct target *target = bpf_map_lookup_elem(&targets, &index);
	struct usage *usage = bpf_map_lookup_elem(&usages, &index);
	if (!target || !usage)
		return 0;
	COUNT(usage->ticks, 1);
	/* The runtime keeps g below the thread pointer; on the stack of the scheduler that is g0, so the goroutine is asked of m. */
	struct task_struct *task = bpf_get_current_task_btf();
	u64 g = read_word(task->thread.fsbase - 8);
	u64 current = read_word(read_word(g + G_M) + target->m_curg);
	struct chain chain = { current ? read_word(current + G_DEFER) : 0, target->defer_link };
	long length = bpf_loop(LONGEST_CHAIN, follow, &chain, 0);
	struct tick *tick = bpf_ringbuf_reserve(&events, sizeof(*tick), 0);
	if (!tick) {
		COUNT(usage->lost, 1);
		return 0;
	}
	tick->head = (struct head){ KIND_TICK, index };
	tick->pc = (sample->regs.cs & 3) ? sample->regs.ip : 0;
	tick->chain = length > 0 ? length - 1 : 0;
	tick->zero = 0;
	/* They can wait until user space looks anyway. */
	bpf_ringbuf_submit(tick, RB_NO_WAKEUP);
	return 0;
}

#endif
