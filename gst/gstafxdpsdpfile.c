/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that sdp-location names. */
#include "gstafxdpsdpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

#define FRAGMENT "#m="

/* The number behind the last "#m=", if nothing else is; *end is where it begins.
 * More than there can be is a number too. */
static gint
media_of (const gchar *location, const gchar **end)
{
  const gchar *fragment = g_strrstr (location, FRAGMENT);
  const gchar *digits = fragment ? fragment + strlen (FRAGMENT) : "";

  *end = location + strlen (location);
  if (!*digits || strspn (digits, "0123456789") != strlen (digits))
    return -1;
  *end = fragment;
  return MIN (g_ascii_strtoull (digits, NULL, 10), G_MAXINT);
}

gboolean
gst_afxdp_sdp_file_init (
    GstAfxdpSdpFile *file, const gchar *location, GError **error)
{
  g_autoptr (GError) cause = NULL;
  const gchar *end;

  file->media = media_of (location, &end);
  file->path = g_strndup (location, end - location);
  if (strstr (file->path, "://")) {
    g_autofree gchar *uri = g_steal_pointer (&file->path);

    file->path = g_filename_from_uri (uri, NULL, &cause);
  }
  if (file->path)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "sdp-location is \"%s\", which is neither a path nor a file:// URI of "
      "this machine: %s",
      location, cause->message);
  return FALSE;
}

void
gst_afxdp_sdp_file_clear (GstAfxdpSdpFile *file)
{
  g_clear_pointer (&file->path, g_free);
}

static const gchar *
kind_of (mode_t mode)
{
  if (S_ISDIR (mode))
    return "a directory";
  if (S_ISFIFO (mode))
    return "a FIFO";
  if (S_ISSOCK (mode))
    return "a socket";
  return "a device";
}

static gboolean
refuse (GError **error, const GstAfxdpSdpFile *file, const gchar *why)
{
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "The SDP file \"%s\" %s: set sdp-location to a file with a session "
      "description",
      file->path, why);
  return FALSE;
}

static gboolean
is_readable (const GstAfxdpSdpFile *file, int fd, GError **error)
{
  struct stat about;

  if (fstat (fd, &about))
    return afxdp_error_set (
        error, errno, "Could not look at the SDP file \"%s\"", file->path);
  if (!S_ISREG (about.st_mode)) {
    g_autofree gchar *why =
        g_strdup_printf ("is %s, not a file", kind_of (about.st_mode));

    return refuse (error, file, why);
  }
  return TRUE;
}

/* No faith in the size that fstat() told: the file may grow meanwhile. */
static gboolean
read_all (const GstAfxdpSdpFile *file, int fd, GByteArray *text, GError **error)
{
  guint8 piece[4096];
  gssize n;

  while ((n = read (fd, piece, sizeof piece)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return afxdp_error_set (
          error, errno, "Could not read the SDP file \"%s\"", file->path);
    if (text->len + n > GST_AFXDP_SDP_FILE_MAX)
      return refuse (error, file, "is larger than 1 MiB");
    g_byte_array_append (text, piece, n);
  }
  if (!text->len)
    return refuse (error, file, "is empty");
  if (text->len > 1 &&
      (!memcmp (text->data, "\377\376", 2) ||
          !memcmp (text->data, "\376\377", 2)))
    return refuse (error, file, "is UTF-16; save it as UTF-8");
  if (memchr (text->data, 0, text->len))
    return refuse (error, file, "is not text: it contains a zero byte");
  return TRUE;
}

GBytes *
gst_afxdp_sdp_file_read (const GstAfxdpSdpFile *file, GError **error)
{
  /* O_NONBLOCK: a FIFO, which open() would wait for, is refused afterwards. */
  int fd = open (file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autoptr (GByteArray) text = g_byte_array_new ();
  gboolean done;

  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "The SDP file \"%s\" of sdp-location does not exist; it must exist "
        "when the element goes to READY",
        file->path);
    return NULL;
  }
  if (fd < 0) {
    afxdp_error_set (
        error, errno, "Could not open the SDP file \"%s\"", file->path);
    return NULL;
  }
  done = is_readable (file, fd, error) && read_all (file, fd, text, error);
  close (fd);
  return done ? g_byte_array_free_to_bytes (g_steal_pointer (&text)) : NULL;
}
