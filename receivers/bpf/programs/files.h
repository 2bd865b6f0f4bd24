/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* os.newFile and os.(*file).close: which place opened the files that are open now. */
#ifndef DEFERD_FILES_H
#define DEFERD_FILES_H

#include "stack.h"

#define FILE_SYSFD 0x10 /* in os.file: pfd.Sysfd */

SEC("uprobe")
int on_file(struct registers *at)
{
	struct hit hit;
	if (!identify(at, &hit))
		return 0;
	if (hit.role == ROLE_CLOSE) {
		COUNT(hit.usage->closes, 1);
		struct file_key key = { hit.slot, read_word(at->ax + FILE_SYSFD) };
		bpf_map_delete_elem(&files, &key);
		return 0;
	}
	COUNT(hit.usage->opens, 1);
	struct file_key key = { hit.slot, at->ax };
	struct file file = {};
	callers(at->sp, at->bp, file.pcs, FILE_PCS);
	bpf_map_update_elem(&files, &key, &file, ANY);
	return 0;
}

#endif
