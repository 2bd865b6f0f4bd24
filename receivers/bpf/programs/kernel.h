/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the programs need of the kernel's headers, written out so that building them takes a compiler and nothing else.
 * Helper numbers and map types are user-space ABI; the fields of kernel structures are found at load time (CO-RE).
 */
#ifndef DEFERD_KERNEL_H
#define DEFERD_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
/* A function of its own, for what would be large many times over. */
#define OUTLINE static __attribute__((noinline))
#define CORE __attribute__((preserve_access_index))

/* The form in which a map is described to the loader: numbers are lengths of arrays that do not exist. */
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type) type *name

enum { MAP_HASH = 1, MAP_ARRAY = 2, MAP_PERCPU_ARRAY = 6, MAP_LRU_HASH = 9, MAP_RINGBUF = 27 };
enum { ANY = 0, NO_PREALLOC = 1, RB_NO_WAKEUP = 1, RB_FORCE_WAKEUP = 2 };

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static u32 (*bpf_get_prandom_u32)(void) = (void *)7;
static u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_probe_read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*bpf_probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static void *(*bpf_ringbuf_reserve)(void *map, u64 size, u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *data, u64 flags) = (void *)132;
static void *(*bpf_get_current_task_btf)(void) = (void *)158;
static u64 (*bpf_get_attach_cookie)(void *context) = (void *)174;
static long (*bpf_loop)(u32 most, void *callback, void *context, u64 flags) = (void *)181;

/* struct pt_regs of x86-64, which is user-space ABI (<asm/ptrace.h>). */
struct registers {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

/* struct bpf_perf_event_data of <linux/bpf_perf_event.h>. */
struct sample {
	struct registers regs;
	u64 period, address;
};

struct upid {
	int nr;
	void *ns;
} CORE;

struct pid {
	u32 level;
	struct upid numbers[1];
} CORE;

struct thread_struct {
	unsigned long fsbase;
} CORE;

struct task_struct {
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct thread_struct thread;
} CORE;

#endif
