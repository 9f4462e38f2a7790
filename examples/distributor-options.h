/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the command line asks for. Immutable once made; any thread.
 */
#pragma once

#include "distributor-address.h"

G_BEGIN_DECLS

/* Also what --help says. */
typedef enum
{
  DISTRIBUTOR_EXIT_OK = 0,
  DISTRIBUTOR_EXIT_LOST = 1,
  DISTRIBUTOR_EXIT_FAILED = 2,
} DistributorExit;

typedef struct
{
  gchar *interface;
  gchar *mode;          /* as the element's property; NULL: its default */
  gchar *pipeline;      /* what follows the source, as gst-launch-1.0 has it */
  gchar *json;          /* a file, "-" for stdout, or NULL */
  gdouble duration;     /* seconds; 0: until a signal */
  gdouble interval;     /* seconds */
  gdouble coalesce;     /* milliseconds; negative: not given */
  GPtrArray *addresses; /* DistributorAddress, each another one */
} DistributorOptions;

/* For --help, prints and does not return. An error is worth the text to the
 * user and DISTRIBUTOR_EXIT_FAILED. */
DistributorOptions *distributor_options_new (
    gint *argc, gchar ***argv, GError **error);
void distributor_options_free (DistributorOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DistributorOptions, distributor_options_free)

G_END_DECLS
