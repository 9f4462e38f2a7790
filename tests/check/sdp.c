/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Session descriptions: what is read out of good ones, and what is said of bad
 * ones.
 */
#include "gstafxdpsdp.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <glib/gstdio.h>

#include "error.h"
#include "gstafxdpsdpfile.h"
#include "suite.h"

static gchar *directory;

static void
set_up (void)
{
  directory = g_dir_make_tmp ("afxdp-sdp-XXXXXX", NULL);
  fail_unless (directory != NULL);
}

static void
tear_down (void)
{
  g_autofree gchar *path = g_build_filename (directory, "test.sdp", NULL);

  g_remove (path);
  fail_if (g_rmdir (directory));
  g_clear_pointer (&directory, g_free);
}

/* A file with these bytes. Returns its path. */
static gchar *
write_file (const gchar *bytes, gssize size)
{
  gchar *path = g_build_filename (directory, "test.sdp", NULL);

  /* It does not truncate, without the flags that make it slow (GLib 2.74). */
  g_remove (path);
  fail_unless (g_file_set_contents_full (
      path, bytes, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  return path;
}

static gchar *
write_session (const gchar *lines)
{
  g_autofree gchar *text =
      g_strconcat ("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nt=0 0\n", lines, NULL);

  return write_file (text, -1);
}

/* Good ones. */

#define RAW_VIDEO "payload=(int)96, encoding-name=(string)RAW"

/* caps: fields that each structure has; "ANY" alone. second: address, port and senders
 * of the second leg; NULL: there is none. */
static const struct
{
  const gchar *file, *fragment;
  const gchar *address;
  gint port;
  const gchar *sources; /* NULL: any */
  const gchar *caps[2];
  const gchar *second;
} files[] = {
  { "st2110-20.sdp", "", "239.100.9.10", 20000, "+192.168.100.2",
      { "payload=(int)112, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)RAW, sampling=(string)YCbCr-4:2:2, "
        "width=(string)1920, height=(string)1080, depth=(string)10, "
        "exactframerate=(string)60000/1001, colorimetry=(string)BT709, "
        "a-mediaclk=(string)\"direct=0\"" } },
  { "st2110-30.sdp", "", "239.65.45.154", 5004, NULL,
      { "payload=(int)97, media=(string)audio, clock-rate=(int)48000, "
        "encoding-name=(string)L24, encoding-params=(string)8, "
        "channel-order=(string)\"SMPTE2110.(51,ST)\", "
        "a-ptime=(string)0.125" } },
  /* The group names the second of the lines m= first. */
  { "st2022-7.sdp", "", "239.22.142.1", 50020, "+192.168.20.20",
      { "payload=(int)100, a-mid=(string)red" },
      "239.22.142.2 50022 +192.168.30.20" },
  { "st2022-7.sdp", "#m=0", "239.22.142.2", 50022, "+192.168.30.20",
      { "payload=(int)100, a-mid=(string)blue" },
      "239.22.142.1 50020 +192.168.20.20" },
  { "st2022-7.sdp", "#m=1", "239.22.142.1", 50020, "+192.168.20.20",
      { "payload=(int)100, a-mid=(string)red" },
      "239.22.142.2 50022 +192.168.30.20" },
  /* The media have no names. */
  { "camera-dup.sdp", "", "239.10.1.7", 5004, "+10.1.1.70", { RAW_VIDEO },
      "239.10.2.7 5004 +10.1.2.70" },
  { "camera-dup.sdp", "#m=1", "239.10.2.7", 5004, "+10.1.2.70", { RAW_VIDEO },
      "239.10.1.7 5004 +10.1.1.70" },
  { "rfc7104-senders.sdp", "", "233.252.0.1", 30000, "+198.51.100.1",
      { "payload=(int)100, encoding-name=(string)MP2T" },
      "233.252.0.1 30000 +198.51.100.2" },
  { "rfc7198-delay.sdp", "", "233.252.0.1", 30000, "+198.51.100.1",
      { "payload=(int)100, encoding-name=(string)MP2T" },
      "233.252.0.1 30000 +198.51.100.1" },
  { "two-addresses.sdp", "", "239.20.0.31", 20000, "+192.168.20.31",
      { "payload=(int)98, encoding-name=(string)SMPTE2022-6" },
      "239.30.0.31 20000 +192.168.30.31" },
  { "nmos-off.sdp", "", "239.255.21.1", 5004, "+192.168.10.21", { RAW_VIDEO } },
  { "nmos-off.sdp", "#m=1", "239.255.21.1", 5004, "+192.168.10.21",
      { RAW_VIDEO } },
  { "same-group.sdp", "", "239.5.5.5", 50000, "+10.20.0.5",
      { "payload=(int)112" }, "239.5.5.5 50000 +10.30.0.5" },
  { "two-streams.sdp", "", "239.40.1.1", 20000, "+192.168.40.12", { RAW_VIDEO },
      "239.41.1.1 20000 +192.168.41.12" },
  { "two-streams.sdp", "#m=2", "239.40.2.1", 5004, "+192.168.40.12",
      { "payload=(int)98, encoding-name=(string)L24" },
      "239.41.2.1 5004 +192.168.41.12" },
  { "two-streams.sdp", "#m=3", "239.41.2.1", 5004, "+192.168.41.12",
      { "payload=(int)98, encoding-name=(string)L24" },
      "239.40.2.1 5004 +192.168.40.12" },
  /* What the session says holds for the media. */
  {
      "aes67.sdp",
      "",
      "239.0.0.1",
      5004,
      "+192.168.1.1+192.168.1.2",
      { "payload=(int)96, clock-rate=(int)48000, encoding-name=(string)L24, "
        "encoding-params=(string)8, a-ts-refclk=(string)"
        "\"ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:0\", "
        "a-mediaclk=(string)\"direct=963214424\"",
          "payload=(int)97, clock-rate=(int)48000, encoding-name=(string)L16" },
  },
  { "ssm6.sdp", "", "ff3e::8000:1", 5006, "-2001:db8::66-2001:db8::67",
      { "payload=(int)0, clock-rate=(int)8000, encoding-name=(string)PCMU" } },
  { "ffmpeg.sdp", "", "239.1.1.1", 5000, NULL,
      { "payload=(int)96, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)H264, packetization-mode=(string)1, "
        "profile-level-id=(string)42C01E, sprop-parameter-sets=(string)"
        "\"Z0LAHtoCgL/lwEQAAAMABAAAAwDIPFi6gA==,aM4PyA==\"" } },
  { "ffmpeg.sdp", "#m=1", "239.1.1.1", 5002, NULL,
      { "payload=(int)97, media=(string)audio, clock-rate=(int)48000, "
        "encoding-name=(string)OPUS, encoding-params=(string)2" } },
  /* After three that cannot be received. */
  { "mpegts.sdp", "", "239.10.10.10", 1234, NULL,
      { "payload=(int)33, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)MP2T" } },
  { "merging.sdp", "", "239.3.40.12", 5004, "+192.168.40.12",
      { "payload=(int)98, media=(string)audio, clock-rate=(int)48000, "
        "encoding-name=(string)L24, encoding-params=(string)8, "
        "a-framecount=(string)48" } },
  { "dante.sdp", "", "239.65.45.154", 5004, NULL,
      { "payload=(int)97, media=(string)audio, clock-rate=(int)48000, "
        "encoding-name=(string)L24, encoding-params=(string)2, "
        "a-mediaclk=(string)\"direct=142410716\"" } },
  { "lawo.sdp", "", "239.40.7.9", 20000, "+10.10.7.236",
      { "payload=(int)100, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)SMPTE291, vpid_code=(string)133" } },
  { "vlc.sdp", "", "239.255.12.42", 5004, NULL,
      { "payload=(int)96, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)H264, packetization-mode=(string)1" } },
  /* A byte order mark, and blanks wherever they can be. */
  { "notepad.sdp", "", "239.100.9.10", 50000, "+192.168.100.2",
      { "payload=(int)112, media=(string)video, clock-rate=(int)90000, "
        "encoding-name=(string)RAW, sampling=(string)YCbCr-4:2:2, "
        "width=(string)1280, height=(string)720, depth=(string)10, "
        "exactframerate=(string)60000/1001" } },
  { "raw.sdp", "", "239.10.10.11", 1234, NULL, { "ANY" } },
};

static void
assert_caps (GstCaps *caps, const gchar *const *fields, guint n)
{
  g_autofree gchar *text = gst_caps_to_string (caps);

  if (g_str_equal (fields[0], "ANY")) {
    fail_unless (gst_caps_is_any (caps), "%s", text);
    return;
  }
  fail_unless (gst_caps_get_size (caps) == n, "%s", text);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *wanted =
        g_strconcat ("application/x-rtp, ", fields[i], NULL);
    g_autoptr (GstStructure) structure =
        gst_structure_from_string (wanted, NULL);

    fail_unless (structure != NULL, "%s", wanted);
    fail_unless (
        gst_structure_is_subset (gst_caps_get_structure (caps, i), structure),
        "%s is not of %s", text, wanted);
  }
}

/* The second leg, as the tables have it. */
static void
assert_second (const GstAfxdpSdp *sdp, const gchar *wanted)
{
  const GstAfxdpSdpLeg *leg = &sdp->second;
  g_autofree gchar *text = leg->address
      ? g_strdup_printf ("%s %d%s%s", leg->address, leg->port,
            leg->sources ? " " : "", leg->sources ? leg->sources : "")
      : NULL;

  fail_unless_equals_string (text, wanted);
  fail_if (wanted && !sdp->has_legs);
}

TABLE_TEST (test_files, files)
{
  g_autofree gchar *location =
      g_strconcat (SDP_DIR "/", files[__i__].file, files[__i__].fragment, NULL);
  g_autofree gchar *uri = g_strconcat ("file://", location, NULL);
  const gchar *const locations[] = { location, uri };

  for (guint i = 0; i < G_N_ELEMENTS (locations); i++) {
    g_autoptr (GError) error = NULL;
    GstAfxdpSdp sdp;

    fail_unless (gst_afxdp_sdp_read (&sdp, locations[i], &error), "%s",
        error ? error->message : "");
    fail_unless_equals_string (sdp.first.address, files[__i__].address);
    fail_unless_equals_int (sdp.first.port, files[__i__].port);
    fail_unless_equals_string (sdp.first.sources, files[__i__].sources);
    assert_caps (sdp.caps, files[__i__].caps, files[__i__].caps[1] ? 2 : 1);
    assert_second (&sdp, files[__i__].second);
    gst_afxdp_sdp_clear (&sdp);
  }
}

/* Lines c= and a=source-filter. */

#define RTP(port) "m=audio " port " RTP/AVP 0\n"
#define GROUP "c=IN IP4 239.1.1.1/127\n"
#define FILTER(rest) "a=source-filter: " rest "\n"

static const struct
{
  const gchar *lines;
  const gchar *address;
  const gchar *sources;
} destinations[] = {
  { GROUP RTP ("5000"), "239.1.1.1" },
  { RTP ("5000") GROUP, "239.1.1.1" },
  { "c=IN IP4 239.9.9.9/1\n" RTP ("5000") GROUP, "239.1.1.1" },
  { RTP ("5000") "c=IN IP4 239.1.1.1\n", "239.1.1.1" },
  { RTP ("5000") "c=IN IP4 239.1.1.1/127/3\n", "239.1.1.1" },
  { RTP ("5000") GROUP "c=IN IP4 239.1.1.2/127\n", "239.1.1.1" },
  { RTP ("5000/2") "c=IN IP6 ff15::1/3\n", "ff15::1" },
  { RTP ("5000") "c=IN IP6 ff15::1\n", "ff15::1" },
  { RTP ("5000") "c=IN IP4 receiver.example\n", "receiver.example" },
  { RTP ("5000") "c=IN IP4 192.0.2.7\n", "192.0.2.7" },
  { GROUP FILTER ("incl IN IP4 239.1.1.1 10.0.0.1") RTP ("5000"), "239.1.1.1",
      "+10.0.0.1" },
  { GROUP FILTER ("incl IN IP4 * 10.0.0.1") RTP ("5000"), "239.1.1.1",
      "+10.0.0.1" },
  { GROUP FILTER ("incl IN * 239.1.1.1 10.0.0.1") RTP ("5000"), "239.1.1.1",
      "+10.0.0.1" },
  { GROUP "a=source-filter:excl IN IP4  239.1.1.1 10.0.0.1 10.0.0.2 \n" RTP (
        "5000"),
      "239.1.1.1", "-10.0.0.1-10.0.0.2" },
  /* Of another destination. */
  { GROUP FILTER ("incl IN IP4 239.1.1.2 10.0.0.1") RTP ("5000"), "239.1.1.1" },
  /* The media's come before the session's, if they are about its address. */
  { GROUP FILTER ("incl IN IP4 * 10.0.0.1") RTP ("5000")
          FILTER ("incl IN IP4 239.1.1.1 10.0.0.2"),
      "239.1.1.1", "+10.0.0.2" },
  { GROUP FILTER ("incl IN IP4 * 10.0.0.1") RTP ("5000")
          FILTER ("incl IN IP4 239.1.1.2 10.0.0.2"),
      "239.1.1.1", "+10.0.0.1" },
  /* Several lines. */
  { GROUP RTP ("5000") FILTER ("incl IN IP4 239.1.1.1 10.0.0.1")
          FILTER ("incl IN IP4 239.1.1.1 10.0.0.2"),
      "239.1.1.1", "+10.0.0.1+10.0.0.2" },
  { RTP ("5000") "c=IN IP6 ff15::1\n" FILTER ("incl IN IP6 FF15:0::1 fd00::1"),
      "ff15::1", "+fd00::1" },
  /* Nothing is joined, so nothing can be left out. */
  { RTP ("5000") "c=IN IP4 192.0.2.7\n" FILTER (
        "incl IN IP4 192.0.2.7 10.0.0.1"),
      "192.0.2.7" },
};

TABLE_TEST (test_destinations, destinations)
{
  g_autofree gchar *path = write_session (destinations[__i__].lines);
  g_autoptr (GError) error = NULL;
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, &error), "%s",
      error ? error->message : "");
  fail_unless_equals_string (sdp.first.address, destinations[__i__].address);
  fail_unless_equals_int (sdp.first.port, 5000);
  fail_unless_equals_string (sdp.first.sources, destinations[__i__].sources);
  gst_afxdp_sdp_clear (&sdp);
}

/* Legs: of duplicates the first two that can be received, and are sent. */

#define LEG(mid, port) RTP (port) GROUP "a=mid:" mid "\n"
#define OFF "a=inactive\n"
#define COPIES "a=ssrc-group:DUP 1000 1010\n"
#define SENDERS(rest) FILTER ("incl IN IP4 239.1.1.1 " rest)

static const struct
{
  const gchar *lines;
  const gchar *fragment;
  const gchar *first, *second; /* as above */
  const gchar *skipped;        /* words; NULL: nothing was */
  gboolean is_told;            /* it has legs, although one is received */
} legs[] = {
  { LEG ("a", "5000") LEG ("b", "5002"), "", "239.1.1.1 5000" },
  { "a=group:DUP a b\n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5000", "239.1.1.1 5002" },
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5002", "239.1.1.1 5000" },
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "5002"), "#m=0",
      "239.1.1.1 5000", "239.1.1.1 5002" },
  { "a=group:DUP b c a\n" LEG ("a", "5000") LEG ("b", "5002") LEG ("c", "5004"),
      "#m=2", "239.1.1.1 5004", "239.1.1.1 5002",
      "\"m=audio 5000 RTP/AVP 0\": two are received" },
  { "a=group:DUP a x b\n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5000", "239.1.1.1 5002" },
  { "a=group:DUP a a\n" LEG ("a", "5000"), "", "239.1.1.1 5000" },
  { "a=group:dup  a\tb \n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5000", "239.1.1.1 5002" },
  { "a=group:DUP b a\n" LEG ("c", "5004") LEG ("a", "5000") LEG ("b", "5002"),
      "", "239.1.1.1 5004" },
  { "a=group:LS b a\n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5000" },
  { "a=group:DUP x y\na=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "5002"),
      "", "239.1.1.1 5002", "239.1.1.1 5000" },
  { "a=group:DUP\na=group:DUP x\n" LEG ("a", "5000"), "", "239.1.1.1 5000" },
  /* Without names: if it can be known which they are. */
  { "a=group:DUP x y\n" GROUP RTP ("5000") RTP ("5002"), "", "239.1.1.1 5000",
      "239.1.1.1 5002" },
  { "a=group:DUP x y\n" GROUP RTP ("5000") RTP ("5002") RTP ("5004"), "",
      "239.1.1.1 5000" },
  { "a=group:DUP x y\n" LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5000" },
  /* One that is not sent. */
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "0"), "", "239.1.1.1 5000",
      NULL, "\"m=audio 0 RTP/AVP 0\" cannot be received: its port is 0", TRUE },
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "0"), "#m=1",
      "239.1.1.1 5000", NULL, "its port is 0", TRUE },
  { "a=group:DUP a b\n" LEG ("a", "5000") OFF LEG ("b", "5002"), "",
      "239.1.1.1 5002", NULL,
      "the leg \"m=audio 5000 RTP/AVP 0\": it is a=inactive", TRUE },
  { "a=group:DUP a b\n" LEG ("a", "5000") LEG ("b", "5002") OFF, "",
      "239.1.1.1 5000", NULL, "it is a=inactive", TRUE },
  { "a=group:DUP a b\n" LEG ("a", "5000") OFF LEG ("b", "5002"), "#m=0",
      "239.1.1.1 5002", NULL, "it is a=inactive", TRUE },
  { "a=group:DUP a b\n" OFF LEG ("a", "5000") "a=recvonly\n" LEG ("b", "5002"),
      "", "239.1.1.1 5000", NULL, "it is a=inactive", TRUE },
  { "a=group:DUP a b c\n" LEG ("a", "5000") OFF LEG ("b", "5002")
          LEG ("c", "5004"),
      "", "239.1.1.1 5002", "239.1.1.1 5004", "it is a=inactive" },
  /* Where none is, the first. */
  { "a=group:DUP b a\n" OFF LEG ("a", "5000") LEG ("b", "5002"), "",
      "239.1.1.1 5002", NULL, "since nothing else is sent", TRUE },
  { LEG ("a", "5000") OFF, "", "239.1.1.1 5000", NULL, "a=inactive of" },
  { LEG ("a", "5000") OFF LEG ("b", "5002"), "", "239.1.1.1 5002" },
  { LEG ("a", "5000") OFF LEG ("b", "5002"), "#m=0", "239.1.1.1 5000", NULL,
      "a=inactive of" },
  /* One media. */
  { GROUP RTP ("5000") "c=IN IP4 239.1.1.1\nc=IN IP4 239.2.1.1/32\n", "",
      "239.1.1.1 5000", "239.2.1.1 5000" },
  { RTP ("5000") GROUP "c=IN IP6 ff15::1\n" SENDERS ("10.0.0.1")
          FILTER ("incl IN IP6 ff15::1 fd00::1"),
      "", "239.1.1.1 5000 +10.0.0.1", "ff15::1 5000 +fd00::1" },
  { RTP ("5000") GROUP "c=IN IP4 239.1.1.1/1\nc=ATM NSAP x\n", "",
      "239.1.1.1 5000", NULL, "the line c=IN IP4 239.1.1.1; the line c=ATM" },
  { RTP ("5000") GROUP "c=IN IP4 239.1.1.2\nc=IN IP4 239.1.1.3\n", "",
      "239.1.1.1 5000", "239.1.1.2 5000", "the line c=IN IP4 239.1.1.3" },
  { GROUP RTP ("5000") COPIES SENDERS ("10.0.0.1 10.0.0.2"), "",
      "239.1.1.1 5000 +10.0.0.1", "239.1.1.1 5000 +10.0.0.2" },
  { GROUP RTP ("5000") COPIES SENDERS ("10.0.0.1") SENDERS ("10.0.0.2"), "",
      "239.1.1.1 5000 +10.0.0.1", "239.1.1.1 5000 +10.0.0.2" },
  { GROUP RTP ("5000") COPIES SENDERS ("10.0.0.1 10.0.0.2 10.0.0.3"), "",
      "239.1.1.1 5000 +10.0.0.1", "239.1.1.1 5000 +10.0.0.2",
      "the sender 10.0.0.3" },
  { GROUP RTP ("5000") COPIES, "", "239.1.1.1 5000", "239.1.1.1 5000" },
  { GROUP RTP ("5000") COPIES FILTER ("excl IN IP4 * 10.0.0.1 10.0.0.2"), "",
      "239.1.1.1 5000 -10.0.0.1-10.0.0.2",
      "239.1.1.1 5000 -10.0.0.1-10.0.0.2" },
  { GROUP RTP ("5000") "a=ssrc-group:FID 1 2\n" SENDERS ("10.0.0.1 10.0.0.2"),
      "", "239.1.1.1 5000 +10.0.0.1+10.0.0.2" },
  { GROUP RTP ("5000") "a=ssrc-group:DUP 1\n", "", "239.1.1.1 5000" },
  /* Of one with a copy they are layers, and no copies. */
  { "a=group:DUP a b\n" LEG ("a", "5000") "c=IN IP4 239.1.1.2\n" LEG (
        "b", "5002"),
      "", "239.1.1.1 5000", "239.1.1.1 5002", "all c= lines but the first" },
  { "c=IN IP4 239.1.1.1\nm=video 5000 udp 33\n" COPIES, "", "239.1.1.1 5000" },
  { "a=group:DUP x y\n" GROUP "m=video 5000 udp 33\nm=video 5002 udp 33\n", "",
      "239.1.1.1 5000", NULL, "since it is not RTP", TRUE },
};

TABLE_TEST (test_legs, legs)
{
  g_autofree gchar *path = write_session (legs[__i__].lines);
  g_autofree gchar *location = g_strconcat (path, legs[__i__].fragment, NULL);
  const gchar *words = legs[__i__].skipped;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, location, &error), "%s",
      error ? error->message : "");
  text = g_strdup_printf ("%s %d%s%s", sdp.first.address, sdp.first.port,
      sdp.first.sources ? " " : "", sdp.first.sources ? sdp.first.sources : "");
  fail_unless_equals_string (text, legs[__i__].first);
  assert_second (&sdp, legs[__i__].second);
  fail_unless (sdp.has_legs == (legs[__i__].second || legs[__i__].is_told));
  fail_unless (
      words ? sdp.skipped && strstr (sdp.skipped, words) : !sdp.skipped,
      "skipped %s", sdp.skipped);
  gst_afxdp_sdp_clear (&sdp);
}

/* Bad ones: a sentence that names the file, and the line. */

/* As real devices and editors write them. */

#define VIDEO_LINES "m=video 5000 RTP/AVP 96\n" GROUP "a=rtpmap:96 H264/90000\n"
#define H264_CAPS                                                 \
  "payload=(int)96, media=(string)video, clock-rate=(int)90000, " \
  "encoding-name=(string)H264"
#define PCMU_CAPS \
  "payload=(int)0, clock-rate=(int)8000, encoding-name=(string)PCMU"
/* For what follows a head that ends otherwise. */
#define HEAD(end) "v=0" end "o=- 0 0 IN IP4 127.0.0.1" end "s=-" end "t=0 0" end

static const struct
{
  const gchar *text;
  const gchar *address;
  const gchar *sources;
  const gchar *caps;
  const gchar *skipped; /* words; NULL: nothing was */
} lenient[] = {
  /* Blanks and tabs. */
  { HEAD ("\n") GROUP "m=audio 5000 RTP/AVP 0 \n", "239.1.1.1", NULL,
      PCMU_CAPS },
  { HEAD ("\n") GROUP "m=audio 5000 RTP/AVP 0\t\n", "239.1.1.1", NULL,
      PCMU_CAPS },
  { HEAD ("\n") "c=IN\tIP4  239.1.1.1/32 \t\nm= audio\t5000  RTP/AVP   0  ",
      "239.1.1.1", NULL, PCMU_CAPS },
  { "  v=0 \n o = - 0 0 IN IP4 127.0.0.1\n\t" GROUP
    " m =audio 5000 RTP/AVP 0\n",
      "239.1.1.1", NULL, PCMU_CAPS },
  { HEAD ("\n") VIDEO_LINES
      "a=source-filter: incl IN IP4 239.1.1.1 10.0.0.1\t\n",
      "239.1.1.1", "+10.0.0.1", H264_CAPS },
  /* Ends of lines, and what editors write in front. */
  { HEAD ("\r\n") "c=IN IP4 239.1.1.1/32\r\nm=audio 5000 RTP/AVP 0\r\n",
      "239.1.1.1", NULL, PCMU_CAPS },
  { HEAD ("\r") "c=IN IP4 239.1.1.1/32\rm=audio 5000 RTP/AVP 0\r", "239.1.1.1",
      NULL, PCMU_CAPS },
  { HEAD ("\n\n") GROUP "\n\nm=audio 5000 RTP/AVP 0", "239.1.1.1", NULL,
      PCMU_CAPS },
  { "\357\273\277" HEAD ("\n") GROUP RTP ("5000"), "239.1.1.1", NULL,
      PCMU_CAPS },
  { "\357\273\277\r\n" HEAD ("\r\n") GROUP RTP ("5000"), "239.1.1.1", NULL,
      PCMU_CAPS },
  /* a=rtpmap and a=fmtp. */
  { HEAD ("\n") GROUP "m=video 5000 RTP/AVP 96\na=rtpmap: 96 H264/90000\n",
      "239.1.1.1", NULL, H264_CAPS },
  { HEAD ("\n") GROUP "m=video 5000 RTP/AVP 96\na=rtpmap:96 H264 /90000\n",
      "239.1.1.1", NULL, H264_CAPS },
  { HEAD ("\n") GROUP "m=video 5000 RTP/AVP 96\na=rtpmap:96\tH264 / 90000\n",
      "239.1.1.1", NULL, H264_CAPS },
  { HEAD ("\n") GROUP "m=video 5000 RTP/AVP 96\na = RTPMAP : 96 H264/90000 \n",
      "239.1.1.1", NULL, H264_CAPS },
  { HEAD ("\n") GROUP
      "m=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
      "a=fmtp:\t96\tpacketization-mode=1; profile-level-id=42\n",
      "239.1.1.1", NULL,
      H264_CAPS ", packetization-mode=(string)1, profile-level-id=(string)42" },
  { HEAD ("\n") GROUP "m=audio 5000 RTP/AVP 97\na=rtpmap: 97 L24 / 48000 / 8\n",
      "239.1.1.1", NULL,
      "payload=(int)97, clock-rate=(int)48000, encoding-name=(string)L24, "
      "encoding-params=(string)8" },
  /* Senders: small letters, capitals, and lines that do not apply. */
  { HEAD ("\n") VIDEO_LINES FILTER ("INCL IN IP4 239.1.1.1 10.0.0.1"),
      "239.1.1.1", "+10.0.0.1", H264_CAPS },
  { HEAD ("\n") VIDEO_LINES "a=Source-Filter:Excl in ip4 * 10.0.0.1\n",
      "239.1.1.1", "-10.0.0.1", H264_CAPS },
  { HEAD ("\n") VIDEO_LINES FILTER ("incl IN IP6 ff15::1 fd00::1")
          FILTER ("incl IN IP4 239.1.1.1 10.0.0.1"),
      "239.1.1.1", "+10.0.0.1", H264_CAPS, "another address family" },
  { HEAD ("\n") VIDEO_LINES FILTER ("incl IN IP6 * fd00::1"), "239.1.1.1", NULL,
      H264_CAPS, "incl IN IP6 * fd00::1" },
  { HEAD ("\n") "m=audio 5000 RTP/AVP 0\nc=IN IP6 ff15::1\n" FILTER (
        "incl IN IP4 * 10.0.0.1") FILTER ("incl IN IP6 * fd00::1"),
      "ff15::1", "+fd00::1", PCMU_CAPS, "incl IN IP4 * 10.0.0.1" },
  { HEAD ("\n") VIDEO_LINES FILTER ("incl IN IP4 239.9.9.9 10.0.0.1"),
      "239.1.1.1", NULL, H264_CAPS, "is not about 239.1.1.1" },
  { HEAD ("\n") "m=audio 5000 RTP/AVP 0\nc=IN IP4 192.0.2.7\n" FILTER (
        "incl IN IP4 * 10.0.0.1"),
      "192.0.2.7", NULL, PCMU_CAPS, "not a multicast group" },
  /* A first line m= that cannot be read. */
  { HEAD ("\n") GROUP "m=video 5002 RTP/AVP 96\nm=audio 5000 RTP/AVP 0\n",
      "239.1.1.1", NULL, PCMU_CAPS, "\"m=video 5002 RTP/AVP 96\" cannot be" },
  { HEAD ("\n") GROUP "m=video 5002 RTP/AVP x\nm=audio 5000 RTP/AVP 0\n",
      "239.1.1.1", NULL, PCMU_CAPS, "\"x\" is not an RTP payload type" },
  { HEAD ("\n") GROUP "m=\nm=video 5002\nm=audio 5000 RTP/AVP 0\n", "239.1.1.1",
      NULL, PCMU_CAPS, "cannot be received" },
  { HEAD ("\n") "m=video 5002 RTP/AVP 33\nm=audio 5000 RTP/AVP 0\n" GROUP,
      "239.1.1.1", NULL, PCMU_CAPS, "no c= line" },
  /* One payload type of several. */
  { HEAD ("\n") GROUP "m=audio 5000 RTP/AVP 0 x 99\n", "239.1.1.1", NULL,
      PCMU_CAPS, "payload type 99" },
  /* Further lines c=, and words of c= in small letters, or wrong ones. */
  { HEAD ("\n") "m=audio 5000 RTP/AVP 0\n" GROUP "c=IN IP4\n", "239.1.1.1",
      NULL, PCMU_CAPS, "the line c=IN IP4" },
  { HEAD ("\n") "c=in ip4 239.1.1.1/32\nm=audio 5000 rtp/avp 0\n", "239.1.1.1",
      NULL, PCMU_CAPS },
  { HEAD ("\n") "c=IN IP4 ff15::1\nm=audio 5000 RTP/AVP 0\n", "ff15::1", NULL,
      PCMU_CAPS, "IP4 of its c= line" },
  { HEAD ("\n") "c=IN IP6 ff02::1%eth0\nm=audio 5000 RTP/AVP 0\n" FILTER (
        "incl IN IP6 ff02::1 fe80::1"),
      "ff02::1%eth0", "+fe80::1", PCMU_CAPS },
};

TABLE_TEST (test_lenient, lenient)
{
  g_autofree gchar *path = write_file (lenient[__i__].text, -1);
  const gchar *const caps[] = { lenient[__i__].caps };
  g_autoptr (GError) error = NULL;
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, &error), "%s: %s",
      lenient[__i__].text, error ? error->message : "");
  fail_unless_equals_string (sdp.first.address, lenient[__i__].address);
  fail_unless_equals_int (sdp.first.port, 5000);
  fail_unless_equals_string (sdp.first.sources, lenient[__i__].sources);
  assert_caps (sdp.caps, caps, 1);
  fail_unless (lenient[__i__].skipped
          ? sdp.skipped && strstr (sdp.skipped, lenient[__i__].skipped)
          : !sdp.skipped,
      "%s: skipped %s", lenient[__i__].text, sdp.skipped);
  gst_afxdp_sdp_clear (&sdp);
}

/* What a name is resolved to. */
TEST (test_family)
{
  static const struct
  {
    const gchar *connection;
    GSocketFamily family;
  } families[] = {
    { "c=IN IP4 receiver.example\n", G_SOCKET_FAMILY_IPV4 },
    { "c=IN IP6 receiver.example\n", G_SOCKET_FAMILY_IPV6 },
    { "c=IN IP4 239.1.1.1\n", G_SOCKET_FAMILY_IPV4 },
    { "c=IN IP6 ff15::1\n", G_SOCKET_FAMILY_IPV6 },
    { "c=IN IP4 ff02::1%1\n", G_SOCKET_FAMILY_IPV6 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
    g_autofree gchar *lines =
        g_strconcat (families[i].connection, RTP ("5000"), NULL);
    g_autofree gchar *path = write_session (lines);
    GstAfxdpSdp sdp;

    fail_unless (gst_afxdp_sdp_read (&sdp, path, NULL));
    fail_unless_equals_int (sdp.first.family, families[i].family);
    gst_afxdp_sdp_clear (&sdp);
  }
}

static void
assert_refused (const gchar *location, AfxdpError code, const gchar *words)
{
  g_autoptr (GError) error = NULL;
  GstAfxdpSdp sdp;

  fail_if (gst_afxdp_sdp_read (&sdp, location, &error), "%s", words);
  fail_unless (strstr (error->message, words), "\"%s\" is not in \"%s\"", words,
      error->message);
  fail_unless (strstr (error->message, "test.sdp"), "%s", error->message);
  fail_unless (g_error_matches (error, AFXDP_ERROR, code), "%s: %d",
      error->message, error->code);
  fail_if (sdp.first.address || sdp.first.sources || sdp.caps);
  fail_if (sdp.second.address || sdp.second.sources || sdp.has_legs);
}

static const struct
{
  const gchar *lines;
  const gchar *words;
} refused[] = {
  { "", "no m= line" },
  { GROUP, "no m= line" },
  { RTP ("5000"),
      "\"m=audio 5000 RTP/AVP 0\" cannot be received: there is no "
      "c= line" },
  { GROUP RTP ("0"), "its port is 0" },
  { GROUP RTP ("port"), "its port is 0 or not a number" },
  { GROUP RTP ("70000"), "larger than 65535" },
  { GROUP "m=audio 5000 RTP/SAVP 0\n", "not \"RTP/SAVP\"" },
  { GROUP "m=\n", "not \"\"" },
  { "c=IN IP4\n" RTP ("5000"), "no c= line" },
  { "c=ATM NSAP 1.2.3.4\n" RTP ("5000"),
      "c=ATM NSAP 1.2.3.4 is neither IN IP4 nor IN IP6" },
  { GROUP RTP ("0") RTP ("0"), "and none of the others" },
  { GROUP "m=audio 5000 RTP/AVP\n", "names no payload type" },
  { GROUP "m=audio 5000 RTP/AVP 96\n",
      "add a line such as a=rtpmap:96 H264/90000" },
  { GROUP "m=audio 5000 RTP/AVP 72\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264/0\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264/fast\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 128\n", "\"128\" is not an RTP payload" },
  { GROUP "m=audio 5000 RTP/AVP x\n", "\"x\" is not an RTP payload" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 239.1.1.1"),
      "\"a=source-filter:incl IN IP4 239.1.1.1\" does not have the form" },
  { GROUP RTP ("5000") FILTER ("only IN IP4 * 10.0.0.1"), "not have the form" },
  { GROUP RTP ("5000") FILTER (""), "not have the form" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * sender.example"),
      "\"sender.example\"" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * fd00::1"),
      "is not an address of IP4" },
  { GROUP "m=audio 5000 RTP/AVP 96\nm=audio 5002 RTP/AVP 97\n",
      "\"m=audio 5000 RTP/AVP 96\" cannot be received: the clock "
      "rate of payload type 96 is not known (add a line such as a=rtpmap:96 "
      "H264/90000), and none of the others can" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * 10.0.0.1")
          FILTER ("excl IN IP4 * 10.0.0.2"),
      "both include and exclude" },
  /* Of the second leg. */
  { "a=group:DUP x y\n" GROUP RTP ("5000") RTP ("5002")
          FILTER ("incl IN IP4 * sender.example"),
      "\"sender.example\"" },
  { "a=group:DUP x y\n" GROUP RTP ("0") RTP ("0"), "and none of the others" },
};

TABLE_TEST (test_refused, refused)
{
  g_autofree gchar *path = write_session (refused[__i__].lines);

  assert_refused (path, AFXDP_ERROR_SETTINGS, refused[__i__].words);
}

TEST (test_fragment)
{
  g_autofree gchar *path = write_session (GROUP RTP ("5000") RTP ("0"));
  static const struct
  {
    const gchar *fragment;
    AfxdpError code;
    const gchar *words; /* NULL: the first one is read */
  } fragments[] = {
    { "#m=0", 0, NULL },
    { "#m=00", 0, NULL },
    { "#m=1", AFXDP_ERROR_SETTINGS, "its port is 0" },
    { "#m=2", AFXDP_ERROR_SETTINGS, "no #m=2 among its 2" },
    { "#m=99999999999999999999", AFXDP_ERROR_SETTINGS, "among its 2" },
    /* Of the name. */
    { "#m=", AFXDP_ERROR_NOT_FOUND, "test.sdp#m=" },
    { "#m=-1", AFXDP_ERROR_NOT_FOUND, "test.sdp#m=-1" },
    { "#m=0x", AFXDP_ERROR_NOT_FOUND, "test.sdp#m=0x" },
    { "#1", AFXDP_ERROR_NOT_FOUND, "test.sdp#1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (fragments); i++) {
    g_autofree gchar *location =
        g_strconcat (path, fragments[i].fragment, NULL);
    GstAfxdpSdp sdp;

    if (fragments[i].words) {
      assert_refused (location, fragments[i].code, fragments[i].words);
      continue;
    }
    fail_unless (gst_afxdp_sdp_read (&sdp, location, NULL));
    gst_afxdp_sdp_clear (&sdp);
  }
}

/* Files. */

TEST (test_locations)
{
  static const struct
  {
    const gchar *location;
    AfxdpError code;
    const gchar *words;
  } locations[] = {
    { "/nowhere/test.sdp", AFXDP_ERROR_NOT_FOUND,
        "\"/nowhere/test.sdp\" of sdp-location does not exist" },
    { "/dev/null/test.sdp", AFXDP_ERROR_NOT_FOUND, "/dev/null/test.sdp" },
    { "http://example.org/test.sdp", AFXDP_ERROR_SETTINGS, "file:// URI" },
    { "file://other-host/test.sdp", AFXDP_ERROR_NOT_FOUND, "test.sdp" },
    { "file:///nowhere/test.sdp%zz", AFXDP_ERROR_SETTINGS, "file:// URI" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (locations); i++)
    assert_refused (
        locations[i].location, locations[i].code, locations[i].words);
}

TEST (test_contents)
{
  g_autofree gchar *path = write_file ("", 0);
  g_autofree gchar *large = g_malloc (GST_AFXDP_SDP_FILE_MAX + 1);

  assert_refused (path, AFXDP_ERROR_SETTINGS, "is empty");
  g_free (write_file ("v=0\0\n", 5));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "zero byte");
  g_free (write_file ("\377\376v\0=\0000\0\n\0", 10));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "is UTF-16; save it as UTF-8");
  g_free (write_file ("hello", -1));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "not a session description");
  memset (large, '\n', GST_AFXDP_SDP_FILE_MAX + 1);
  g_free (write_file (large, GST_AFXDP_SDP_FILE_MAX + 1));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "larger than 1 MiB");
  g_free (write_file (large, GST_AFXDP_SDP_FILE_MAX));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "not a session description");
}

/* Nothing waits for what is no file, and it says so. */
TEST (test_not_a_file)
{
  g_autofree gchar *path = g_build_filename (directory, "test.sdp", NULL);

  fail_if (mkfifo (path, 0600));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "is a FIFO");
  fail_if (g_remove (path));
  fail_if (g_mkdir (path, 0700));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "is a directory");
  fail_if (g_rmdir (path));
  fail_if (symlink ("/dev/zero", path));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "is a device");
}

/* Text in another encoding, as names of old devices are. */
TEST (test_not_utf8)
{
  g_autofree gchar *path = write_session (
      GROUP "m=audio 5000 RTP/AVP 96\ni=B\374hne\na=rtpmap:96 L24/48000/2\n"
            "a=fmtp:96 name=B\374hne\na=label:B\374hne\n");
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, NULL));
  gst_afxdp_sdp_clear (&sdp);
}

/* Whatever is in the file: no crash, no critical (gst-check), and an error or an
 * answer. */
TEST (test_mutations)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint n_read = 0, n_refused = 0;

  for (guint i = 0; i < 4000; i++) {
    const gchar *file = files[i % G_N_ELEMENTS (files)].file;
    g_autofree gchar *from = g_build_filename (SDP_DIR, file, NULL);
    g_autofree gchar *path = NULL;
    g_autofree gchar *text = NULL;
    g_autoptr (GError) error = NULL;
    GstAfxdpSdp sdp;
    gsize size;

    fail_unless (g_file_get_contents (from, &text, &size, NULL));
    for (guint n = g_rand_int_range (random, 1, 10); n; n--)
      text[g_rand_int_range (random, 0, size)] = i % 2
          ? g_rand_int_range (random, 1, 256)
          : " \n=/:;*0"[g_rand_int_range (random, 0, 8)];
    path = write_file (text, g_rand_int_range (random, size / 2, size + 1));
    if (gst_afxdp_sdp_read (&sdp, path, &error)) {
      fail_unless (sdp.first.address && sdp.caps);
      fail_unless (sdp.first.port > 0 && sdp.first.port <= G_MAXUINT16);
      gst_afxdp_sdp_clear (&sdp);
      n_read++;
    } else {
      fail_unless (error && error->domain == AFXDP_ERROR);
      n_refused++;
    }
  }
  fail_unless (n_read > 100 && n_refused > 100, "%u, %u", n_read, n_refused);
}

SUITE ("sdp", 0, set_up, tear_down)
