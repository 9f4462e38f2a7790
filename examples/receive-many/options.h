/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command line asks for. Immutable once made; any thread.
 */
#pragma once

#include "address.h"

G_BEGIN_DECLS

/* Also what --help says. */
typedef enum
{
  EXIT_OK = 0,
  EXIT_LOST = 1,
  EXIT_FAILED = 2,
} ExitStatus;

typedef struct
{
  gchar *interface;
  gchar *redundant_interface; /* that all streams come by, too; or NULL */
  gchar *mode;                /* as the element's property; NULL: its default */
  gchar *pipeline;  /* what follows the source, as gst-launch-1.0 has it */
  gchar *json;      /* a file, "-" for stdout, or NULL */
  gdouble duration; /* seconds; 0: until a signal */
  gdouble interval; /* seconds */
  gdouble coalesce; /* milliseconds; negative: not given */
  gdouble reorder_window; /* likewise */
  gint receivers; /* threads that share the streams; 0: each has its own */
  gint
      umem_frames; /* of the interface, for all streams; 0: the element's choice */
  GPtrArray *addresses; /* Address, each another one */
} Options;

/* For --help, prints and does not return. An error is worth the text to the
 * user and EXIT_FAILED. */
Options *options_new (gint *argc, gchar ***argv, GError **error);
void options_free (Options *self);
/* Of all streams: one or two each. */
guint options_n_legs (const Options *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Options, options_free)

G_END_DECLS
