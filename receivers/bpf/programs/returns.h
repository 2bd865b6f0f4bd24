/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * runtime.deferreturn: hit once by each return of a function that may have registered defers. All hits are counted; of
 * some, the records of the frame that returns are counted by site, which are those at the head of the goroutine's chain
 * whose sp is the frame's.
 */
#ifndef DEFERD_RETURNS_H
#define DEFERD_RETURNS_H

#include "maps.h"

#define G_DEFER 0x28
#define DEFER_SP 1 /* words */
#define DEFER_PC 2
#define DEFER_WORDS 6
#define FRAME_SITES 4

struct counted {
	u64 pc;
	u64 records;
};

struct found {
	u64 records;
	struct counted sites[FRAME_SITES];
	u64 further;
};

struct walk {
	u64 next; /* record */
	u64 inner; /* record of a range-over-func loop, whose list hangs off one of the chain */
	u64 inner_pc;
	u64 sp;
	u32 link, rangefunc;
	u64 torn;
	struct found found;
};

INLINE void count_record(struct found *found, u64 pc)
{
	found->records++;
	for (int i = 0; i < FRAME_SITES; i++) {
		if (found->sites[i].pc == pc || found->sites[i].pc == 0) {
			found->sites[i].pc = pc;
			found->sites[i].records++;
			return;
		}
	}
	found->further++;
}

/* One record. Returning 1 ends the walk. */
static long walk_record(u64 index, struct walk *walk)
{
	u64 record[DEFER_WORDS];
	u64 at = walk->inner ? walk->inner : walk->next;
	if (!at)
		return 1;
	if (bpf_probe_read_user(record, sizeof(record), (void *)at)) {
		walk->torn = 1;
		return 1;
	}
	u64 link = walk->link == 0x28 ? record[5] : record[4];
	if (walk->inner) {
		count_record(&walk->found, walk->inner_pc);
		walk->inner = link;
		return 0;
	}
	if (record[DEFER_SP] != walk->sp)
		return 1;
	walk->next = link;
	if (walk->rangefunc && (record[0] >> (8 * walk->rangefunc) & 0xff)) {
		walk->inner = read_word(record[5]);
		walk->inner_pc = record[DEFER_PC];
		return 0;
	}
	count_record(&walk->found, record[DEFER_PC]);
	return 0;
}

OUTLINE void add_site(u32 slot, u64 pc, u64 records)
{
	struct site_key key = { slot, 0, pc };
	struct site *site = bpf_map_lookup_elem(&sites, &key);
	if (!site) {
		u32 zero = 0;
		struct site *empty = bpf_map_lookup_elem(&empty_site, &zero);
		if (empty)
			bpf_map_update_elem(&sites, &key, empty, 1 /* unless it is there by now */);
		site = bpf_map_lookup_elem(&sites, &key);
	}
	if (!site)
		return;
	COUNT(site->frames, 1);
	COUNT(site->records, records);
	COUNT(site->records_squared, records * records);
	/* The binary logarithm, rounded up, by halving: a loop would be followed once for each of its lengths. */
	u64 rest = records - 1;
	u32 bucket = 0;
	for (int half = 16; half; half >>= 1) {
		if (rest >> half) {
			bucket += half;
			rest >>= half;
		}
	}
	bucket += rest != 0;
	COUNT(site->by_length[bucket < BUCKETS ? bucket : BUCKETS - 1], 1);
}

INLINE void look_into(struct registers *at, struct hit *hit)
{
	struct target *target = hit->target;
	struct usage *usage = hit->usage;
	u64 begin = bpf_ktime_get_ns();
	/*
	 * Zeroes that the verifier does not know to be zeroes, because a helper wrote them: it would follow every number through
	 * the loop, once for each value that it can have.
	 */
	u32 zero = 0;
	struct site *empty = bpf_map_lookup_elem(&empty_site, &zero);
	struct walk walk;
	if (!empty || bpf_probe_read_kernel(&walk, sizeof(walk), empty))
		return;
	walk.link = target->defer_link;
	walk.rangefunc = target->defer_rangefunc;
	walk.next = read_word(at->r14 + G_DEFER);
	/* Before the push: the return address is on top, and above it the frame that returns. */
	walk.sp = at->sp + 8;
	long steps = bpf_loop(target->max_records, walk_record, &walk, 0);
	/* For the same reason what was found is copied by a helper. */
	struct found found = {};
	bpf_probe_read_kernel(&found, sizeof(found), &walk.found);
	COUNT(usage->sampled, 1);
	COUNT(usage->records, found.records);
	COUNT(usage->records_squared, found.records * found.records);
	if (walk.torn || steps >= target->max_records)
		COUNT(usage->cut, 1);
	for (int i = 0; i < FRAME_SITES; i++) {
		if (found.sites[i].records)
			add_site(hit->slot, found.sites[i].pc, found.sites[i].records);
	}
	if (found.further)
		add_site(hit->slot, 0, found.further);
	u64 spent = bpf_ktime_get_ns() - begin;
	COUNT(usage->walk_nanoseconds, spent);
	COUNT(usage->epoch_walk, spent);
}

SEC("uprobe")
int on_return(struct registers *at)
{
	struct hit hit;
	if (!identify(at, &hit))
		return 0;
	COUNT(hit.usage->returns, 1);
	COUNT_IN_EPOCH(&hit, epoch_returns, return_limit);
	if (hit.usage->epoch_walk < hit.target->walk_limit && !(bpf_get_prandom_u32() & hit.target->sample_mask))
		look_into(at, &hit);
	return 0;
}

#endif
