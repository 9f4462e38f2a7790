/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The face of the element, without a packet: factory, properties, URI, latency.
 */
#include "element-fixture.h"

#include "plugins.h"

static GstElement *
make (void)
{
  GstElement *src = gst_element_factory_make ("afxdpsrc", NULL);

  fail_unless (src != NULL);
  return gst_object_ref_sink (src);
}

TEST (test_factory)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("afxdpsrc");
  GstPluginFeature *feature = GST_PLUGIN_FEATURE (factory);

  fail_unless_equals_int (gst_plugin_feature_get_rank (feature), GST_RANK_NONE);
  fail_unless_equals_string (
      gst_plugin_feature_get_plugin_name (feature), "afxdp");
  fail_unless_equals_string (
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS),
      "Source/Network");
}

TEST (test_pad)
{
  g_autoptr (GstElement) src = make ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  fail_unless (gst_caps_is_any (template));
  fail_unless (gst_caps_is_any (caps));
}

/* Properties, each described by a line: type, range, default, and what can be
 * done with it. */

static gchar *
describe_range (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_INT (pspec))
    return g_strdup_printf (" %d to %d", G_PARAM_SPEC_INT (pspec)->minimum,
        G_PARAM_SPEC_INT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT (pspec))
    return g_strdup_printf (" %u to %u", G_PARAM_SPEC_UINT (pspec)->minimum,
        G_PARAM_SPEC_UINT (pspec)->maximum);
  if (G_IS_PARAM_SPEC_UINT64 (pspec))
    return g_strdup_printf (" %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
        G_PARAM_SPEC_UINT64 (pspec)->minimum,
        G_PARAM_SPEC_UINT64 (pspec)->maximum);
  return g_strdup ("");
}

static gchar *
describe_value (const GValue *value)
{
  GEnumValue *choice;

  if (G_VALUE_HOLDS_STRING (value))
    return g_strdup (g_value_get_string (value) ?: "NULL");
  if (G_VALUE_HOLDS_BOXED (value) && !g_value_get_boxed (value))
    return g_strdup ("NULL");
  if (GST_VALUE_HOLDS_CAPS (value))
    return gst_caps_to_string (gst_value_get_caps (value));
  if (!G_VALUE_HOLDS_ENUM (value))
    return gst_value_serialize (value);
  choice = g_enum_get_value (
      g_type_class_peek (G_VALUE_TYPE (value)), g_value_get_enum (value));
  return g_strdup (choice->value_nick);
}

static GParamSpec *
find (GstElement *element, const gchar *name)
{
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);

  fail_unless (pspec != NULL, "there is no property %s", name);
  return pspec;
}

static gchar *
describe (GParamSpec *pspec)
{
  g_autofree gchar *range = describe_range (pspec);
  g_autofree gchar *value =
      describe_value (g_param_spec_get_default_value (pspec));

  return g_strdup_printf ("%s%s = %s%s", g_type_name (pspec->value_type), range,
      value, pspec->flags & G_PARAM_WRITABLE ? "" : " read-only");
}

static const struct
{
  const gchar *name;
  const gchar *description; /* NULL: udpsrc has it, and the same */
  gboolean while_playing;   /* may change then */
  const gchar *values[2];   /* to set it to; NULL: none, or no other */
} properties[] = {
  { "uri", "gchararray = afxdp://0.0.0.0:5004", FALSE,
      { "afxdp://239.1.1.2:5002",
          "afxdp://239.1.1.2:5002?multicast-source=%2B10.0.0.1" } },
  { "address", NULL, FALSE, { "192.0.2.7" } },
  { "multicast-group", NULL, FALSE, { "239.1.1.1" } },
  { "port", NULL, FALSE, { "5000", "0" } },
  { "multicast-iface", NULL, FALSE, { "eth7", "eth0,eth1" } },
  { "multicast-source", "gchararray = NULL", FALSE, /* udpsrc 1.24 */
      { "+10.0.0.1+10.0.0.2", "" } },
  { "auto-multicast", NULL, FALSE, { "false" } },
  { "buffer-size", NULL, FALSE, { "1048576" } },
  { "reuse", NULL, FALSE, { "false" } },
  { "loop", NULL, FALSE, { "false" } },
  { "socket", NULL, FALSE },
  { "used-socket", NULL, FALSE },
  { "close-socket", NULL, FALSE, { "false" } },
  { "mtu", NULL, FALSE, { "9000" } },
  { "caps", NULL, TRUE, { "application/x-rtp, payload=(int)96", "ANY" } },
  { "timeout", NULL, TRUE, { "1000000000" } },
  { "skip-first-bytes", NULL, TRUE, { "4" } },
  { "retrieve-sender-address", NULL, TRUE, { "false" } },
  { "socket-timestamp", NULL, FALSE, { "realtime" } },
  { "mode", "GstAfxdpMode = auto", FALSE, { "af-xdp" } },
  { "current-mode", "GstAfxdpCurrentMode = none read-only", FALSE },
  { "xdp-mode", "GstAfxdpXdpMode = auto", FALSE, { "generic" } },
  { "zero-copy", "GstAfxdpZeroCopy = auto", FALSE, { "require" } },
  { "queue", "gint -1 to 65535 = -1", FALSE, { "3" } },
  { "ring-size", "guint 64 to 1048576 = 16384", FALSE, { "4096" } },
  { "umem-frames", "guint 0 to 16777216 = 0", FALSE, { "65536" } },
  { "batch-size", "guint 1 to 1024 = 64", FALSE, { "1" } },
  { "receiver", "gchararray = NULL", FALSE, { "all" } },
  { "coalesce", "guint64 0 to 1000000000 = 1000000", FALSE, { "2000000" } },
  { "busy-poll-usecs", "guint 0 to 1000000 = 0", FALSE, { "50" } },
  { "distributor", "gchararray = NULL", FALSE, { "/run/other.sock", "" } },
  { "xsk-map", "gchararray = NULL", FALSE, { "/sys/fs/bpf/xsks_map", "" } },
  { "redundant-uri", "gchararray = NULL", TRUE,
      { "afxdp://239.1.1.2:5000?multicast-iface=eth2", "" } },
  { "reorder-window",
      "guint64 0 to 18446744073709551615 = 18446744073709551615", FALSE,
      { "2000000", "0" } },
  { "max-held-bytes", "guint64 0 to 18446744073709551615 = 67108864", FALSE,
      { "1000000" } },
  { "verify-checksum", "gboolean = false", FALSE, { "true" } },
  { "sdp-location", "gchararray = NULL", FALSE,
      { "/tmp/stream.sdp#m=1", "file:///tmp/stream.sdp" } },
  { "stats-interval", "guint64 0 to 18446744073709551615 = 1000000000", TRUE,
      { "0" } },
  { "gap-interval", "guint64 0 to 18446744073709551615 = 200000000", TRUE,
      { "0" } },
  { "stats", "GstStructure = NULL read-only", FALSE },
};

TEST (test_properties)
{
  g_autoptr (GstElement) src = make ();

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    const gchar *name = properties[i].name;
    GParamSpec *pspec = find (src, name);
    g_autofree gchar *description = describe (pspec);

    fail_unless (!properties[i].description ||
            g_str_equal (description, properties[i].description),
        "%s is %s", name, description);
    fail_unless (!!(pspec->flags & GST_PARAM_MUTABLE_PLAYING) ==
            properties[i].while_playing,
        "%s may change while playing, or not", name);
  }
}

static void
assert_takes (GstElement *src, const gchar *name, const gchar *text)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *back = NULL;

  gst_util_set_object_arg (G_OBJECT (src), name, text);
  g_object_get_property (G_OBJECT (src), name, &value);
  back = describe_value (&value);
  fail_unless (g_str_equal (back, text), "%s is %s", name, back);
}

/* Those that are neither read-only nor an object. */
TEST (test_settings)
{
  g_autoptr (GstElement) src = make ();

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    const gchar *name = properties[i].name;
    const gchar *const *values = properties[i].values;
    GParamSpec *pspec = find (src, name);

    fail_unless (values[0] || !(pspec->flags & G_PARAM_WRITABLE) ||
            G_IS_PARAM_SPEC_OBJECT (pspec),
        "no value of %s is tried", name);
    for (guint j = 0; j < G_N_ELEMENTS (properties->values); j++)
      if (values[j])
        assert_takes (src, name, values[j]);
  }
}

static gboolean
is_in_table (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (g_str_equal (properties[i].name, name))
      return TRUE;
  return FALSE;
}

TEST (test_table_has_all)
{
  g_autoptr (GstElement) src = make ();
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (src), &n);

  for (guint i = 0; i < n; i++)
    fail_unless (pspecs[i]->owner_type != G_OBJECT_TYPE (src) ||
            is_in_table (pspecs[i]->name),
        "%s is not in the table", pspecs[i]->name);
}

static GstElement *
make_udpsrc (void)
{
  return gst_object_ref_sink (gst_element_factory_make ("udpsrc", NULL));
}

/* What the table does not describe is udpsrc's. */
TEST (test_undescribed)
{
  g_autoptr (GstElement) udpsrc = make_udpsrc ();

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (!properties[i].description)
      find (udpsrc, properties[i].name);
}

static const struct
{
  const gchar *type;
  const gchar *nicks;
} choices[] = {
  { "GstAfxdpMode", "auto af-xdp socket" },
  { "GstAfxdpCurrentMode", "none af-xdp socket" },
  { "GstAfxdpXdpMode", "auto native generic" },
  { "GstAfxdpZeroCopy", "auto require never" },
  { "GstAfxdpSocketTimestamp", "disabled realtime" },
};

TEST (test_choices)
{
  g_autoptr (GstElement) src = make ();

  for (guint i = 0; i < G_N_ELEMENTS (choices); i++) {
    GEnumClass *klass = g_type_class_ref (g_type_from_name (choices[i].type));
    g_autoptr (GString) nicks = g_string_new (klass->values[0].value_nick);

    for (guint j = 1; j < klass->n_values; j++)
      g_string_append_printf (nicks, " %s", klass->values[j].value_nick);
    fail_unless_equals_string (nicks->str, choices[i].nicks);
    g_type_class_unref (klass);
  }
}

/* A new element's, since the specification of udpsrc's socket-timestamp tells
 * another default than the one it has. */
static gchar *
describe_default (GstElement *element, const gchar *name)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (element), name, &value);
  if (G_VALUE_HOLDS_OBJECT (&value))
    return g_strdup (g_value_get_object (&value) ? "an object" : "NULL");
  return describe_value (&value);
}

static gchar *
describe_type (GParamSpec *pspec)
{
  return g_strdup_printf ("%s%s",
      G_IS_PARAM_SPEC_ENUM (pspec) ? "enum" : g_type_name (pspec->value_type),
      pspec->flags & G_PARAM_WRITABLE ? "" : " read-only");
}

/* udpsrc has all its properties, and those of its base classes, here too: with the
 * same name, type, range and default. Enumerations have types of their own, with
 * the same values. */
TEST (test_properties_of_udpsrc)
{
  g_autoptr (GstElement) src = make ();
  g_autoptr (GstElement) udpsrc = make_udpsrc ();
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (udpsrc), &n);

  fail_unless (n >= 24);
  for (guint i = 0; i < n; i++) {
    const gchar *name = pspecs[i]->name;
    g_autofree gchar *ours = describe_type (find (src, name));
    g_autofree gchar *theirs = describe_type (pspecs[i]);
    g_autofree gchar *our_range = describe_range (find (src, name));
    g_autofree gchar *their_range = describe_range (pspecs[i]);
    g_autofree gchar *our_default = describe_default (src, name);
    g_autofree gchar *their_default = describe_default (udpsrc, name);

    fail_unless_equals_string (ours, theirs);
    fail_unless (g_str_equal (our_range, their_range), "%s is%s, of udpsrc%s",
        name, our_range, their_range);
    if (g_str_equal (name, "uri") || g_str_equal (name, "name"))
      continue;
    fail_unless (!g_strcmp0 (our_default, their_default),
        "%s is %s, of udpsrc %s", name, our_default, their_default);
  }
}

static void
assert_same_choices (GParamSpec *ours, GParamSpec *theirs)
{
  GEnumClass *our_class = G_PARAM_SPEC_ENUM (ours)->enum_class;
  GEnumClass *their_class = G_PARAM_SPEC_ENUM (theirs)->enum_class;

  fail_if (ours->value_type == theirs->value_type);
  fail_unless_equals_int (our_class->n_values, their_class->n_values);
  for (guint i = 0; i < our_class->n_values; i++) {
    fail_unless_equals_int (
        our_class->values[i].value, their_class->values[i].value);
    fail_unless_equals_string (
        our_class->values[i].value_nick, their_class->values[i].value_nick);
  }
}

TEST (test_choices_of_udpsrc)
{
  g_autoptr (GstElement) src = make ();
  g_autoptr (GstElement) udpsrc = make_udpsrc ();

  assert_same_choices (
      find (src, "socket-timestamp"), find (udpsrc, "socket-timestamp"));
}

/* A new element has the defaults that its class tells. */
TEST (test_defaults)
{
  g_autoptr (GstElement) src = make ();
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (src), &n);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    if (pspecs[i]->owner_type != G_OBJECT_TYPE (src) ||
        g_str_equal (pspecs[i]->name, "stats"))
      continue;
    g_object_get_property (G_OBJECT (src), pspecs[i]->name, &value);
    fail_unless (
        g_param_value_defaults (pspecs[i], &value), "%s", pspecs[i]->name);
  }
}

/* Both names are of one setting, and NULL is the default. */
TEST (test_address)
{
  static const gchar *const names[] = { "address", "multicast-group" };
  g_autoptr (GstElement) src = make ();

  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *set = NULL;
    g_autofree gchar *unset = NULL;

    g_object_set (src, names[i], "239.1.1.1", NULL);
    g_object_get (src, names[!i], &set, NULL);
    fail_unless_equals_string (set, "239.1.1.1");
    g_object_set (src, names[i], NULL, NULL);
    g_object_get (src, names[!i], &unset, NULL);
    fail_unless_equals_string (unset, "0.0.0.0");
  }
}

/* URI. */

static const struct
{
  const gchar *uri;
  const gchar *address; /* NULL: refused */
  gint port;
  const gchar *back;   /* NULL: the same as uri */
  const gchar *source; /* multicast-source */
} uris[] = {
  { "afxdp://239.1.1.1:5000", "239.1.1.1", 5000, NULL },
  { "afxdp://127.0.0.1:65535", "127.0.0.1", 65535, NULL },
  { "afxdp://localhost:1", "localhost", 1, NULL },
  { "afxdp://[ff15::1]:5000", "ff15::1", 5000, NULL },
  { "afxdp://[::1]:5000", "::1", 5000, NULL },
  /* Without a port or an address: the default. */
  { "afxdp://239.1.1.1", "239.1.1.1", 5004, "afxdp://239.1.1.1:5004" },
  { "afxdp://[ff15::1]", "ff15::1", 5004, "afxdp://[ff15::1]:5004" },
  { "afxdp://:5000", "0.0.0.0", 5000, "afxdp://0.0.0.0:5000" },
  /* Sources: + as it is, or escaped. */
  { "afxdp://232.1.1.1:5000?multicast-source=+10.0.0.1", "232.1.1.1", 5000,
      "afxdp://232.1.1.1:5000?multicast-source=%2B10.0.0.1", "+10.0.0.1" },
  { "afxdp://232.1.1.1:5000?multicast-source=%2B10.0.0.1%2B10.0.0.2",
      "232.1.1.1", 5000, NULL, "+10.0.0.1+10.0.0.2" },
  { "afxdp://232.1.1.1:5000/?multicast-source=+10.0.0.1+10.0.0.2", "232.1.1.1",
      5000, "afxdp://232.1.1.1:5000?multicast-source=%2B10.0.0.1%2B10.0.0.2",
      "+10.0.0.1+10.0.0.2" },
  { "afxdp://232.1.1.1:5000?multicast-source=-10.0.0.1-10.0.0.2", "232.1.1.1",
      5000, NULL, "-10.0.0.1-10.0.0.2" },
  { "afxdp://232.1.1.1:5000?multicast-source=10.0.0.1", "232.1.1.1", 5000, NULL,
      "10.0.0.1" },
  { "afxdp://232.1.1.1?a=b&multicast-source=10.0.0.1&c=d", "232.1.1.1", 5004,
      "afxdp://232.1.1.1:5004?multicast-source=10.0.0.1", "10.0.0.1" },
  { "afxdp://[ff35::1]:5000?multicast-source=+fd00::1", "ff35::1", 5000,
      "afxdp://[ff35::1]:5000?multicast-source=%2Bfd00::1", "+fd00::1" },
  { "afxdp://232.1.1.1:5000?multicast-source=", "232.1.1.1", 5000,
      "afxdp://232.1.1.1:5000" },
  { "afxdp://232.1.1.1:5000?else=1", "232.1.1.1", 5000,
      "afxdp://232.1.1.1:5000" },
  { "afxdp://232.1.1.1:5000?multicast-source" },
  { "afxdp://232.1.1.1:5000?multicast-source=%zz" },
  { "afxdp://239.1.1.1:65536" },
  { "afxdp://239.1.1.1:-1" },
  { "afxdp://239.1.1.1:port" },
  { "afxdp://[ff15::1" },
  { "afxdp:239.1.1.1:5000" },
};

static void
assert_address_and_port (GstElement *src, const gchar *address, gint port)
{
  g_autofree gchar *is_address = NULL;
  gint is_port;

  g_object_get (src, "address", &is_address, "port", &is_port, NULL);
  fail_unless_equals_string (is_address, address);
  fail_unless_equals_int (is_port, port);
}

static void
assert_source (GstElement *src, const gchar *source)
{
  g_autofree gchar *is_source = NULL;

  g_object_get (src, "multicast-source", &is_source, NULL);
  fail_unless_equals_string (is_source, source);
}

TABLE_TEST (test_uri, uris)
{
  const gchar *uri = uris[__i__].uri;
  g_autoptr (GstElement) src = make ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *back = NULL;
  gboolean accepted =
      gst_uri_handler_set_uri (GST_URI_HANDLER (src), uri, &error);

  fail_unless (accepted == !!uris[__i__].address, "%s", uri);
  if (accepted) {
    assert_address_and_port (src, uris[__i__].address, uris[__i__].port);
    assert_source (src, uris[__i__].source);
    back = gst_uri_handler_get_uri (GST_URI_HANDLER (src));
    fail_unless_equals_string (back, uris[__i__].back ? uris[__i__].back : uri);
  } else {
    fail_unless (error && error->domain == GST_URI_ERROR);
    fail_unless (strstr (error->message, uri), "%s", error->message);
    assert_address_and_port (src, "0.0.0.0", 5004);
  }
}

/* What the getter writes says the same to another element, whatever it is. */
TEST (test_uri_of_any_source)
{
  static const gchar *const sources[] = { "+10.0.0.1", "-fd00::1-fd00::2",
    " + 10.0.0.1 ", "a&b=c#d?e%2B/\"\\", "+fe80::1%eth0", "\303\244" };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autoptr (GstElement) one = make ();
    g_autoptr (GstElement) other = make ();
    g_autofree gchar *uri = NULL;

    g_object_set (one, "multicast-source", sources[i], NULL);
    g_object_get (one, "uri", &uri, NULL);
    g_object_set (other, "uri", uri, NULL);
    assert_source (other, sources[i]);
  }
}

/* A URI that names none takes them away, as with udpsrc. */
TEST (test_uri_without_sources)
{
  g_autoptr (GstElement) src = make ();

  g_object_set (src, "multicast-source", "+10.0.0.1", "uri",
      "afxdp://232.1.1.2:5002", NULL);
  assert_source (src, NULL);
  g_object_set (src, "uri", "udp://232.1.1.2?multicast-source=-10.0.0.2", NULL);
  assert_source (src, "-10.0.0.2");
  g_object_set (src, "uri", "udp://232.1.1.2?multicast-source=", NULL);
  assert_source (src, NULL);
}

/* Caps in a URI. */

#define RTP_CAPS "application/x-rtp, "

static const struct
{
  const gchar *query;
  const gchar *caps; /* NULL: refused; "": none */
  const gchar *back; /* the query; NULL: the same */
} uri_caps[] = {
  { "encoding-name=H264&clock-rate=90000",
      RTP_CAPS "media=(string)video, encoding-name=(string)H264, "
               "clock-rate=(int)90000",
      "media=video&encoding-name=H264&clock-rate=90000" },
  { "media=video&encoding-name=H264&clock-rate=90000&payload=96",
      RTP_CAPS "media=(string)video, encoding-name=(string)H264, "
               "clock-rate=(int)90000, payload=(int)96" },
  { "encoding-name=opus",
      RTP_CAPS "media=(string)audio, encoding-name=(string)OPUS, "
               "clock-rate=(int)48000",
      "media=audio&encoding-name=OPUS&clock-rate=48000" },
  { "encoding-name=raw",
      RTP_CAPS "media=(string)video, encoding-name=(string)RAW, "
               "clock-rate=(int)90000",
      "media=video&encoding-name=RAW&clock-rate=90000" },
  { "media=audio&encoding-name=L24&encoding-params=8&clock-rate=48000",
      RTP_CAPS "media=(string)audio, encoding-name=(string)L24, "
               "encoding-params=(string)8, clock-rate=(int)48000" },
  { "encoding-name=L16&clock-rate=48000",
      RTP_CAPS "media=(string)audio, encoding-name=(string)L16, "
               "clock-rate=(int)48000",
      "media=audio&encoding-name=L16&clock-rate=48000" },
  { "encoding-name=MP2T",
      RTP_CAPS "media=(string)video, encoding-name=(string)MP2T, "
               "clock-rate=(int)90000",
      "media=video&encoding-name=MP2T&clock-rate=90000" },
  { "encoding-name=X%26Y&clock-rate=1000",
      RTP_CAPS "encoding-name=(string)\"X&Y\", clock-rate=(int)1000" },
  { "payload=33",
      RTP_CAPS "media=(string)video, encoding-name=(string)MP2T, "
               "clock-rate=(int)90000, payload=(int)33",
      "media=video&encoding-name=MP2T&clock-rate=90000&payload=33" },
  { "payload=96&clock-rate=90000",
      RTP_CAPS "payload=(int)96, clock-rate=(int)90000",
      "clock-rate=90000&payload=96" },
  { "multicast-source=%2B10.0.0.1&clock-rate=8000",
      RTP_CAPS "clock-rate=(int)8000" },
  { "", "" },
  { "latency=100", "", "" },
  /* A clock rate is never invented. */
  { "encoding-name=L16" },
  { "encoding-name=X" },
  { "payload=96" },
  { "media=video" },
  { "media=audio&encoding-name=H264" },
  { "clock-rate=0" },
  { "clock-rate=-1" },
  { "clock-rate=fast" },
  { "clock-rate=2147483648" },
  { "clock-rate" },
  { "payload=128&clock-rate=90000" },
  { "payload=&clock-rate=90000" },
  { "encoding-name=&clock-rate=90000" },
};

/* caps "": none. */
static void
assert_caps (GstElement *src, const gchar *caps)
{
  g_autoptr (GstCaps) are = NULL;
  g_autoptr (GstCaps) should_be = *caps ? gst_caps_from_string (caps) : NULL;
  g_autofree gchar *text = NULL;

  g_object_get (src, "caps", &are, NULL);
  text = are ? gst_caps_to_string (are) : g_strdup ("none");
  fail_unless (should_be ? are && gst_caps_is_equal (are, should_be) : !are,
      "%s instead of %s", text, caps);
}

TABLE_TEST (test_uri_caps, uri_caps)
{
  const gchar *query = uri_caps[__i__].query;
  const gchar *back = uri_caps[__i__].back ? uri_caps[__i__].back : query;
  g_autoptr (GstElement) src = make ();
  g_autofree gchar *uri = g_strconcat ("afxdp://239.1.1.1:5000?", query, NULL);
  g_autofree gchar *should_be =
      g_strconcat ("afxdp://239.1.1.1:5000", *back ? "?" : "", back, NULL);
  g_autofree gchar *is = NULL;
  g_autoptr (GError) error = NULL;

  if (!uri_caps[__i__].caps) {
    fail_if (gst_uri_handler_set_uri (GST_URI_HANDLER (src), uri, &error));
    fail_unless (g_error_matches (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI));
    fail_unless (strstr (error->message, uri), "%s", error->message);
    assert_address_and_port (src, "0.0.0.0", 5004);
    assert_caps (src, "");
    return;
  }
  fail_unless (gst_uri_handler_set_uri (GST_URI_HANDLER (src), uri, NULL));
  assert_caps (src, uri_caps[__i__].caps);
  g_object_get (src, "uri", &is, NULL);
  fail_unless_equals_string (is, should_be);
}

/* They are of the URI: the next one takes them away, but not those of the
 * property. */
TEST (test_uri_without_caps)
{
  g_autoptr (GstElement) src = make ();
  g_autofree gchar *uri = NULL;

  g_object_set (src, "uri", "afxdp://239.1.1.1:5000?clock-rate=8000", "uri",
      "afxdp://239.1.1.2:5000", NULL);
  assert_caps (src, "");
  g_object_set (src, "uri", "afxdp://239.1.1.1:5000?clock-rate=8000", NULL);
  gst_util_set_object_arg (G_OBJECT (src), "caps", "video/mpegts");
  g_object_set (src, "uri", "afxdp://239.1.1.3:5000", NULL);
  assert_caps (src, "video/mpegts");
  g_object_get (src, "uri", &uri, NULL);
  fail_unless_equals_string (uri, "afxdp://239.1.1.3:5000");
}

/* Listed as a protocol, udp would be taken away from udpsrc. */
TEST (test_uri_protocols)
{
  g_autoptr (GstElement) src = make ();
  GstURIHandler *handler = GST_URI_HANDLER (src);
  const gchar *const *protocols = gst_uri_handler_get_protocols (handler);

  fail_unless_equals_int (gst_uri_handler_get_uri_type (handler), GST_URI_SRC);
  fail_unless_equals_int (g_strv_length ((gchar **) protocols), 1);
  fail_unless_equals_string (protocols[0], "afxdp");
  fail_if (gst_uri_handler_set_uri (handler, "udp://239.1.1.1:5000", NULL));
  fail_if (gst_uri_handler_set_uri (handler, "http://239.1.1.1:5000", NULL));
}

TEST (test_uri_property)
{
  g_autoptr (GstElement) src = make ();

  g_object_set (src, "uri", "afxdp://239.1.1.1:5000", NULL);
  assert_address_and_port (src, "239.1.1.1", 5000);
  g_object_set (src, "uri", "udp://239.1.1.2:5002", NULL);
  assert_address_and_port (src, "239.1.1.2", 5002);
  g_object_set (src, "uri", "udp://[ff15::1]:5004", NULL);
  assert_address_and_port (src, "ff15::1", 5004);
  /* What is refused changes nothing. */
  ASSERT_WARNING (g_object_set (src, "uri", "http://239.1.1.3:5006", NULL));
  assert_address_and_port (src, "ff15::1", 5004);
  g_object_set (src, "uri", NULL, NULL);
  assert_address_and_port (src, "0.0.0.0", 5004);
}

/* gst-launch sets properties one after the other, as it does udpsrc's. */
TEST (test_launch_line)
{
  static const gchar *const lines[] = {
    "afxdpsrc uri=afxdp://239.1.1.1:5000 port=6000",
    "afxdpsrc port=5000 uri=udp://239.1.1.1:6000",
    "afxdpsrc port=5000 address=10.0.0.1 port=6000 multicast-group=239.1.1.1",
    "afxdpsrc multicast-group=10.0.0.1 address=239.1.1.1 port=6000",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GstElement) src = gst_parse_launch (lines[i], NULL);

    gst_object_ref_sink (src);
    assert_address_and_port (src, "239.1.1.1", 6000);
  }
}

TEST (test_made_from_uri)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) src = gst_element_make_from_uri (
      GST_URI_SRC, "afxdp://239.1.1.1:5000", NULL, &error);
  g_autoptr (GstElement) of_udp = gst_element_make_from_uri (
      GST_URI_SRC, "udp://239.1.1.1:5000", NULL, NULL);

  g_assert_no_error (error);
  gst_object_ref_sink (src);
  fail_unless_equals_string (G_OBJECT_TYPE_NAME (src), "GstAfxdpSrc");
  assert_address_and_port (src, "239.1.1.1", 5000);
  gst_object_ref_sink (of_udp);
  fail_unless_equals_string (G_OBJECT_TYPE_NAME (of_udp), "GstUDPSrc");
}

/* A live source of running times, whose packets wait for others for 1 ms. */
TEST (test_latency)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gboolean live, seekable = TRUE;
  GstClockTime min, max;

  element_play ("", "fakesink");
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_uint64 (min, GST_MSECOND);
  gst_element_query (receiver->src, seeking);
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
}

/* A packet may wait so long for others. */
TEST (test_latency_of_coalesce)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min, max;

  element_play ("coalesce=2000000", "fakesink");
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, &max);
  fail_unless_equals_uint64 (min, 2000000);
  fail_unless (max >= min);
  /* What is set for the next start changes nothing of it. */
  g_object_set (receiver->src, "coalesce", G_GUINT64_CONSTANT (0),
      "busy-poll-usecs", 1, NULL);
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, &max);
  fail_unless_equals_uint64 (min, 2000000);
  element_end ();

  /* But for who spins. */
  element_play ("coalesce=2000000 busy-poll-usecs=1", "fakesink");
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, &max);
  fail_unless_equals_uint64 (min, 0);
}

ELEMENT_SUITE ("element", "udp", NULL)
