/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A driver that leaves no room for metadata in front of a packet. The executable has
 * a syscall() of its own, which libbpf finds before the C library's; it must be linked
 * so.
 */
#pragma once

/* Programs that are loaded from now on are such a driver's: to be called before the
 * element starts. */
void metadata_refuse (void);
