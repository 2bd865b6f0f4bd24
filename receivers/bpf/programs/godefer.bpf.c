/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The probes of the godefer receiver. They stand at instructions that the kernel emulates, before the frame of the
 * function is made: [rsp] is the return address, r14 the goroutine, and the arguments are still in registers.
 */
#include "files.h"
#include "panics.h"
#include "returns.h"
#include "ticks.h"

/* A breakpoint in the agent itself: that probes work here, and how deep its pid namespace is. */
SEC("uprobe")
int on_self_test(struct registers *at)
{
	struct self_test *test = bpf_ringbuf_reserve(&events, sizeof(*test), 0);
	if (!test)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(at);
	test->head = (struct head){ KIND_SELF_TEST, cookie >> 16 };
	test->pid = bpf_get_current_pid_tgid() >> 32;
	test->level = task->group_leader->thread_pid->level;
	tell_now(test);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
