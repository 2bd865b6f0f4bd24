/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How a panic begins and ends. Each is counted, by the place where it was raised; some are recorded, with value and
 * stack. Which panic a recovery ends is told by stack pointers: those raised below the frame that the program returns
 * to are over, the latest of them recovered, the others replaced by it.
 */
#ifndef DEFERD_PANICS_H
#define DEFERD_PANICS_H

#include "stack.h"

#define G_PANIC 0x20
#define SECOND 1000000000ull

/* Counts, and says whether there is to be a record of it. */
OUTLINE int count_panic(struct hit *hit, struct panic_key *key)
{
	struct panic_count *count = bpf_map_lookup_elem(&panics, key);
	if (!count) {
		struct panic_count none = {};
		bpf_map_update_elem(&panics, key, &none, 1 /* unless it is there by now */);
		count = bpf_map_lookup_elem(&panics, key);
	}
	if (!count) {
		COUNT(hit->usage->uncounted, 1);
		return 0;
	}
	COUNT(count->count, 1);
	u64 second = hit->now / SECOND;
	if (count->second != second) {
		count->second = second;
		count->in_second = 0;
	}
	return COUNT(count->in_second, 1) < hit->target->records_per_second;
}

INLINE struct panic_record *begin_record(struct hit *hit, u32 stage)
{
	struct panic_record *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (!record) {
		COUNT(hit->usage->lost, 1);
		return 0;
	}
	record->head = (struct head){ KIND_PANIC, hit->slot };
	record->time = hit->now;
	record->goid = hit->goid;
	record->stage = stage;
	record->id = record->value_type = record->value_data = record->resumes = 0;
	record->frames = record->data_length = record->texts = 0;
	return record;
}

/* A string of the target, if that is what the two words are. */
INLINE void keep_text(struct panic_record *record, u64 address, u64 length)
{
	u32 index = record->texts;
	if (index >= TEXTS || address < 4096 || !length || length > 1 << 20)
		return;
	u32 size = length > TEXT ? TEXT : length;
	record->text_address[index] = address;
	record->text_full[index] = length;
	if (bpf_probe_read_user(record->text[index], size, (void *)address))
		record->text[index][0] = 0;
	record->texts = index + 1;
}

OUTLINE void keep_value(struct panic_record *record, u64 type, u64 data)
{
	record->value_type = type;
	record->value_data = data;
	if (!type)
		return;
	u64 *words = (u64 *)record->data;
	u32 length = DATA;
	/* Less where the value is at the end of what is mapped. */
	if (bpf_probe_read_user(record->data, DATA, (void *)data)) {
		length = 16;
		if (bpf_probe_read_user(record->data, 16, (void *)data)) {
			length = 8;
			if (bpf_probe_read_user(record->data, 8, (void *)data))
				length = 0;
		}
	}
	record->data_length = length;
	if (length >= 16)
		keep_text(record, words[0], words[1]);
	if (length == DATA) {
		/* The next string, behind the first, else wherever two words may be one. */
		if (record->texts)
			keep_text(record, words[2], words[3]);
		else
			keep_text(record, words[1], words[2]);
		if (record->texts < 2)
			keep_text(record, words[3], words[4]);
		/* What is wrapped behind two strings, as in fs.PathError: an error number is eight bytes. */
		keep_text(record, words[5], 8);
	}
}

INLINE struct flight *flight_of(struct hit *hit, int make)
{
	struct goroutine_key key = { hit->slot, 0, hit->goid };
	struct flight *flight = bpf_map_lookup_elem(&flights, &key);
	if (!flight && make) {
		struct flight none = {};
		bpf_map_update_elem(&flights, &key, &none, ANY);
		flight = bpf_map_lookup_elem(&flights, &key);
	}
	return flight;
}

INLINE struct in_flight *panic_at(struct flight *flight, u64 index)
{
	/* Written out, because the compiler drops a bound that it knows to hold and the verifier does not. */
	asm volatile("%0 &= %1" : "+r"(index) : "i"(MAX_IN_FLIGHT - 1));
	return &flight->panics[index];
}

/* The end of a panic in flight, of which there is a record if there was one of its beginning. */
OUTLINE void end_panic(struct hit *hit, struct in_flight *panic, u32 stage, u64 resumes)
{
	struct panic_key key = { hit->slot, stage };
	for (int i = 0; i < SITE_PCS; i++)
		key.pcs[i] = panic->pcs[i];
	key.resumes = resumes;
	count_panic(hit, &key);
	if (!panic->recorded)
		return;
	struct panic_record *record = begin_record(hit, stage);
	if (!record)
		return;
	record->id = panic->id;
	record->resumes = resumes;
	tell_now(record);
}

OUTLINE void raise(struct registers *at, struct hit *hit)
{
	COUNT(hit->usage->raises, 1);
	COUNT_IN_EPOCH(hit, epoch_raises, raise_limit);
	hit->goid = read_word(at->r14 + hit->target->g_goid);
	struct panic_key key = { hit->slot, STAGE_RAISED };
	callers(at->sp, at->bp, key.pcs, SITE_PCS);
	int wanted = count_panic(hit, &key);

	struct flight *flight = flight_of(hit, 1);
	u64 prior = read_word(at->r14 + G_PANIC);
	if (flight) {
		/* The panic before may have been recovered by the deferred call that raises this one; there is no other sign of it. */
		if (!prior)
			flight->depth = 0;
		else if (flight->depth && flight->depth <= MAX_IN_FLIGHT && read_byte(prior + hit->target->panic_recovered)) {
			flight->depth--;
			end_panic(hit, panic_at(flight, flight->depth), STAGE_RECOVERED, key.pcs[0]);
		}
	}
	u64 id = hit->now ^ hit->goid << 40;
	struct panic_record *record = wanted ? begin_record(hit, STAGE_RAISED) : 0;
	if (record) {
		record->id = id;
		record->frames = callers(at->sp, at->bp, record->pcs, FRAMES);
		keep_value(record, at->ax, at->bx);
	}
	if (flight) {
		if (flight->depth < MAX_IN_FLIGHT) {
			struct in_flight *panic = panic_at(flight, flight->depth);
			panic->id = id;
			panic->sp = at->sp;
			for (int i = 0; i < SITE_PCS; i++)
				panic->pcs[i] = key.pcs[i];
			panic->recorded = record != 0;
		}
		flight->depth++;
	}
	if (record)
		tell_now(record);
}

/* runtime.recovery(gp): a panic was recovered, and the program goes on in the frame that registered the deferred call. */
OUTLINE void recovery(struct registers *at, struct hit *hit)
{
	COUNT(hit->usage->recoveries, 1);
	u64 g = at->ax;
	struct target *target = hit->target;
	u64 sp, resumes;
	hit->goid = read_word(g + target->g_goid);
	if (target->g_sigcode0) {
		sp = read_word(g + target->g_sigcode0);
		resumes = read_word(g + target->g_sigcode0 + 8);
	} else {
		u64 panic = read_word(g + G_PANIC);
		sp = read_word(panic + target->panic_sp);
		resumes = read_word(panic + target->panic_retpc);
	}
	struct flight *flight = flight_of(hit, 0);
	u32 ended = 0;
	if (flight) {
		for (int i = 0; i < MAX_IN_FLIGHT; i++) {
			u64 depth = flight->depth;
			if (!depth)
				break;
			depth--;
			if (depth < MAX_IN_FLIGHT) {
				struct in_flight *panic = panic_at(flight, depth);
				if (ended && panic->sp > sp)
					break;
				end_panic(hit, panic, ended ? STAGE_REPLACED : STAGE_RECOVERED, ended ? 0 : resumes);
			} else {
				COUNT(hit->usage->unpaired, 1);
			}
			flight->depth = depth;
			ended++;
		}
	}
	if (!ended) {
		struct panic_key key = { hit->slot, STAGE_RECOVERED };
		key.resumes = resumes;
		count_panic(hit, &key);
		COUNT(hit->usage->unpaired, 1);
	}
}

/* runtime.fatalpanic(p): nobody recovered. By now the value is what will be printed. */
OUTLINE void fatal_panic(struct registers *at, struct hit *hit)
{
	COUNT(hit->usage->others, 1);
	hit->goid = read_word(at->r14 + hit->target->g_goid);
	struct panic_key key = { hit->slot, STAGE_FATAL };
	struct flight *flight = flight_of(hit, 0);
	struct in_flight *panic = 0;
	if (flight && flight->depth && flight->depth <= MAX_IN_FLIGHT)
		panic = panic_at(flight, flight->depth - 1);
	for (int i = 0; panic && i < SITE_PCS; i++)
		key.pcs[i] = panic->pcs[i];
	count_panic(hit, &key);
	/* Those before it will never be recovered either: the latest replaced them. */
	for (u32 i = 0; flight && i + 1 < MAX_IN_FLIGHT && i + 1 < flight->depth; i++)
		end_panic(hit, panic_at(flight, i), STAGE_REPLACED, 0);
	struct panic_record *record = begin_record(hit, STAGE_FATAL);
	if (!record)
		return;
	record->id = panic ? panic->id : 0;
	record->frames = callers(at->sp, at->bp, record->pcs, FRAMES);
	u64 value = at->ax + hit->target->panic_arg;
	keep_value(record, read_word(value), read_word(value + 8));
	tell_now(record);
}

/* runtime.Goexit, and runtime.throw or runtime.fatal with the text of a fatal error. */
OUTLINE void end_of_goroutine(struct registers *at, struct hit *hit)
{
	COUNT(hit->usage->others, 1);
	hit->goid = read_word(at->r14 + hit->target->g_goid);
	u32 stage = hit->role == ROLE_GOEXIT ? STAGE_GOEXIT : STAGE_THROW;
	struct panic_key key = { hit->slot, stage };
	callers(at->sp, at->bp, key.pcs, SITE_PCS);
	if (!count_panic(hit, &key))
		return;
	struct panic_record *record = begin_record(hit, stage);
	if (!record)
		return;
	record->id = hit->now ^ hit->goid << 40;
	record->frames = callers(at->sp, at->bp, record->pcs, FRAMES);
	if (stage == STAGE_THROW)
		keep_text(record, at->ax, at->bx);
	tell_now(record);
}

SEC("uprobe")
int on_panic(struct registers *at)
{
	struct hit hit;
	if (!identify(at, &hit))
		return 0;
	hit.now = bpf_ktime_get_ns();
	switch (hit.role) {
	case ROLE_RAISE:
		raise(at, &hit);
		break;
	case ROLE_RECOVERY:
		recovery(at, &hit);
		break;
	case ROLE_FATAL_PANIC:
		fatal_panic(at, &hit);
		break;
	case ROLE_GOEXIT:
	case ROLE_THROW:
		end_of_goroutine(at, &hit);
		break;
	}
	COUNT(hit.usage->panic_nanoseconds, bpf_ktime_get_ns() - hit.now);
	return 0;
}

#endif
