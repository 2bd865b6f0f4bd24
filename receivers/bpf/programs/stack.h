/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Who called the function that a breakpoint stands in. */
#ifndef DEFERD_STACK_H
#define DEFERD_STACK_H

#include "maps.h"

/* The return addresses of the callers. The saved frame pointer is below each of them but the first. */
OUTLINE u32 callers(u64 sp, u64 bp, u64 *pcs, u32 most)
{
	u64 frame[2] = { bp, 0 };
	u32 depth = 0;
	pcs[depth++] = read_word(sp);
	while (depth < most && depth < FRAMES) {
		u64 below = frame[0];
		if (!below || bpf_probe_read_user(frame, sizeof(frame), (void *)below) || !frame[1])
			break;
		pcs[depth++] = frame[1];
		/* Stacks grow down, so that a frame pointer that does not go up is none. */
		if (frame[0] <= below)
			break;
	}
	return depth;
}

#endif
