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
#include <gst/check/gstcheck.h>

#include "error.h"
#include "gstafxdpsdpfile.h"

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

/* caps: fields that each structure has; "ANY" alone. */
static const struct
{
  const gchar *file, *fragment;
  const gchar *address;
  gint port;
  const gchar *sources; /* NULL: any */
  const gchar *caps[2];
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
      { "payload=(int)100, a-mid=(string)red" } },
  { "st2022-7.sdp", "#m=0", "239.22.142.2", 50022, "+192.168.30.20",
      { "payload=(int)100, a-mid=(string)blue" } },
  { "st2022-7.sdp", "#m=1", "239.22.142.1", 50020, "+192.168.20.20",
      { "payload=(int)100, a-mid=(string)red" } },
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

GST_START_TEST (test_files)
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
    fail_unless_equals_string (sdp.address, files[__i__].address);
    fail_unless_equals_int (sdp.port, files[__i__].port);
    fail_unless_equals_string (sdp.sources, files[__i__].sources);
    assert_caps (sdp.caps, files[__i__].caps, files[__i__].caps[1] ? 2 : 1);
    gst_afxdp_sdp_clear (&sdp);
  }
}
GST_END_TEST

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

GST_START_TEST (test_destinations)
{
  g_autofree gchar *path = write_session (destinations[__i__].lines);
  g_autoptr (GError) error = NULL;
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, &error), "%s",
      error ? error->message : "");
  fail_unless_equals_string (sdp.address, destinations[__i__].address);
  fail_unless_equals_int (sdp.port, 5000);
  fail_unless_equals_string (sdp.sources, destinations[__i__].sources);
  gst_afxdp_sdp_clear (&sdp);
}
GST_END_TEST

/* Of duplicates the first that can be received. */

#define LEG(mid, port) RTP (port) GROUP "a=mid:" mid "\n"

static const struct
{
  const gchar *lines;
  gint port;
} groups[] = {
  { LEG ("a", "5000") LEG ("b", "5002"), 5000 },
  { "a=group:DUP a b\n" LEG ("a", "5000") LEG ("b", "5002"), 5000 },
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "5002"), 5002 },
  { "a=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "0"), 5000 },
  { "a=group:DUP b a\n" LEG ("c", "5004") LEG ("a", "5000") LEG ("b", "5002"),
      5004 },
  { "a=group:LS b a\n" LEG ("a", "5000") LEG ("b", "5002"), 5000 },
  { "a=group:DUP x y\na=group:DUP b a\n" LEG ("a", "5000") LEG ("b", "5002"),
      5002 },
  { "a=group:DUP\na=group:DUP x\n" LEG ("a", "5000"), 5000 },
};

GST_START_TEST (test_groups)
{
  g_autofree gchar *path = write_session (groups[__i__].lines);
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, NULL));
  fail_unless_equals_int (sdp.port, groups[__i__].port);
  gst_afxdp_sdp_clear (&sdp);
}
GST_END_TEST

/* Bad ones: a sentence that names the file, and the line. */

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
  fail_if (sdp.address || sdp.sources || sdp.caps);
}

static const struct
{
  const gchar *lines;
  const gchar *words;
} refused[] = {
  { "", "no line m=" },
  { GROUP, "no line m=" },
  { RTP ("5000"),
      "\"m=audio 5000 RTP/AVP 0\" cannot be received: there is no "
      "line c=" },
  { GROUP RTP ("0"), "its port is 0" },
  { GROUP RTP ("port"), "its port is 0 or no number" },
  { GROUP RTP ("70000"), "larger than 65535" },
  { GROUP "m=audio 5000 RTP/SAVP 0\n", "not \"RTP/SAVP\"" },
  { GROUP "m=\n", "not \"\"" },
  { "c=IN IP4\n" RTP ("5000"), "no line c=" },
  { "c=ATM NSAP 1.2.3.4\n" RTP ("5000"),
      "c=ATM NSAP 1.2.3.4 is neither IN IP4 nor IN IP6" },
  { GROUP RTP ("0") RTP ("0"), "and none of the others" },
  { GROUP "m=audio 5000 RTP/AVP\n", "\"\" in \"m=audio 5000" },
  { GROUP "m=audio 5000 RTP/AVP 96\n", "a=rtpmap:96 H264/90000 is missing" },
  { GROUP "m=audio 5000 RTP/AVP 72\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264/0\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 96\na=rtpmap:96 H264/fast\n", "clock rate" },
  { GROUP "m=audio 5000 RTP/AVP 128\n", "\"128\" in \"m=audio 5000" },
  { GROUP "m=audio 5000 RTP/AVP x\n", "\"x\" in \"m=audio 5000" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 239.1.1.1"),
      "\"a=source-filter: incl IN IP4 239.1.1.1\" is not of the form" },
  { GROUP RTP ("5000") FILTER ("only IN IP4 * 10.0.0.1"), "not of the form" },
  { GROUP RTP ("5000") FILTER (""), "not of the form" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * sender.example"),
      "\"sender.example\"" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * fd00::1"),
      "is not an address of IP4" },
  { GROUP RTP ("5000") FILTER ("incl IN IP4 * 10.0.0.1")
          FILTER ("excl IN IP4 * 10.0.0.2"),
      "both include and exclude" },
};

GST_START_TEST (test_refused)
{
  g_autofree gchar *path = write_session (refused[__i__].lines);

  assert_refused (path, AFXDP_ERROR_SETTINGS, refused[__i__].words);
}
GST_END_TEST

GST_START_TEST (test_fragment)
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
GST_END_TEST

/* Files. */

GST_START_TEST (test_locations)
{
  static const struct
  {
    const gchar *location;
    AfxdpError code;
    const gchar *words;
  } locations[] = {
    { "/nowhere/test.sdp", AFXDP_ERROR_NOT_FOUND,
        "no SDP file \"/nowhere/test.sdp\"" },
    { "/dev/null/test.sdp", AFXDP_ERROR_NOT_FOUND, "/dev/null/test.sdp" },
    { "http://example.org/test.sdp", AFXDP_ERROR_SETTINGS, "file:// URI" },
    { "file://other-host/test.sdp", AFXDP_ERROR_NOT_FOUND, "test.sdp" },
    { "file:///nowhere/test.sdp%zz", AFXDP_ERROR_SETTINGS, "file:// URI" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (locations); i++)
    assert_refused (
        locations[i].location, locations[i].code, locations[i].words);
}
GST_END_TEST

GST_START_TEST (test_contents)
{
  g_autofree gchar *path = write_file ("", 0);
  g_autofree gchar *large = g_malloc (GST_AFXDP_SDP_FILE_MAX + 1);

  assert_refused (path, AFXDP_ERROR_SETTINGS, "is empty");
  g_free (write_file ("v=0\0\n", 5));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "byte 0");
  g_free (write_file ("hello", -1));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "no session description");
  memset (large, '\n', GST_AFXDP_SDP_FILE_MAX + 1);
  g_free (write_file (large, GST_AFXDP_SDP_FILE_MAX + 1));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "larger than 1 MiB");
  g_free (write_file (large, GST_AFXDP_SDP_FILE_MAX));
  assert_refused (path, AFXDP_ERROR_SETTINGS, "no session description");
}
GST_END_TEST

/* Nothing waits for what is no file, and it says so. */
GST_START_TEST (test_not_a_file)
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
GST_END_TEST

/* Text in another encoding, as names of old devices are. */
GST_START_TEST (test_not_utf8)
{
  g_autofree gchar *path = write_session (
      GROUP "m=audio 5000 RTP/AVP 96\ni=B\374hne\na=rtpmap:96 L24/48000/2\n"
            "a=fmtp:96 name=B\374hne\na=label:B\374hne\n");
  GstAfxdpSdp sdp;

  fail_unless (gst_afxdp_sdp_read (&sdp, path, NULL));
  gst_afxdp_sdp_clear (&sdp);
}
GST_END_TEST

/* Whatever is in the file: no crash, no critical (gst-check), and an error or an
 * answer. */
GST_START_TEST (test_mutations)
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
      fail_unless (sdp.address && sdp.caps);
      fail_unless (sdp.port > 0 && sdp.port <= G_MAXUINT16);
      gst_afxdp_sdp_clear (&sdp);
      n_read++;
    } else {
      fail_unless (error && error->domain == AFXDP_ERROR);
      n_refused++;
    }
  }
  fail_unless (n_read > 100 && n_refused > 100, "%u, %u", n_read, n_refused);
}
GST_END_TEST

static Suite *
sdp_suite (void)
{
  Suite *suite = suite_create ("sdp");
  TCase *tests = tcase_create ("sdp");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests, test_files, 0, G_N_ELEMENTS (files));
  tcase_add_loop_test (
      tests, test_destinations, 0, G_N_ELEMENTS (destinations));
  tcase_add_loop_test (tests, test_groups, 0, G_N_ELEMENTS (groups));
  tcase_add_loop_test (tests, test_refused, 0, G_N_ELEMENTS (refused));
  tcase_add_test (tests, test_fragment);
  tcase_add_test (tests, test_locations);
  tcase_add_test (tests, test_contents);
  tcase_add_test (tests, test_not_a_file);
  tcase_add_test (tests, test_not_utf8);
  tcase_add_test (tests, test_mutations);
  return suite;
}

GST_CHECK_MAIN (sdp);
