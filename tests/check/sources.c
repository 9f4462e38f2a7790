/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of senders: what is written, what is wrong, and who matches. */
#include "sources.h"

#include <arpa/inet.h>

#include "error.h"
#include "suite.h"

static AfxdpSources *
parse (const gchar *text, guint version)
{
  g_autoptr (GError) error = NULL;
  AfxdpSources *sources = afxdp_sources_parse (text, version, &error);

  g_assert_no_error (error);
  fail_unless (sources != NULL);
  return sources;
}

/* The set in words: the kind's sign, and addresses with blanks in between. */
static gchar *
describe (const AfxdpSources *sources, guint version)
{
  static const gchar *const kinds[] = {
    [AFXDP_SOURCES_ANY] = "any",
    [AFXDP_SOURCES_INCLUDE] = "+",
    [AFXDP_SOURCES_EXCLUDE] = "-",
  };
  GString *text = g_string_new (kinds[afxdp_sources_kind (sources)]);

  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    gchar address[INET6_ADDRSTRLEN];

    inet_ntop (version == 6 ? AF_INET6 : AF_INET,
        afxdp_sources_get (sources, i), address, sizeof address);
    g_string_append_printf (text, " %s", address);
  }
  return g_string_free (text, FALSE);
}

static const struct
{
  const gchar *text;
  guint version;
  const gchar *description;
} good[] = {
  { NULL, 4, "any" },
  { "", 4, "any" },
  { "  ", 6, "any" },
  { "10.0.0.1", 4, "+ 10.0.0.1" },
  { "+10.0.0.1", 4, "+ 10.0.0.1" },
  { "-10.0.0.1", 4, "- 10.0.0.1" },
  { "+10.0.0.1+10.0.0.2", 4, "+ 10.0.0.1 10.0.0.2" },
  { "10.0.0.1+10.0.0.2", 4, "+ 10.0.0.1 10.0.0.2" },
  { "-10.0.0.1-10.0.0.2", 4, "- 10.0.0.1 10.0.0.2" },
  /* In order, and once each. */
  { "+10.0.0.3+10.0.0.1+10.0.0.3+10.0.0.2+10.0.0.1", 4,
      "+ 10.0.0.1 10.0.0.2 10.0.0.3" },
  /* Blanks and signs too many do no harm. */
  { " + 10.0.0.1 + 10.0.0.2 ", 4, "+ 10.0.0.1 10.0.0.2" },
  { " - 10.0.0.1 -10.0.0.2", 4, "- 10.0.0.1 10.0.0.2" },
  { "++10.0.0.1+", 4, "+ 10.0.0.1" },
  { "0.0.0.1", 4, "+ 0.0.0.1" },
  { "223.255.255.255", 4, "+ 223.255.255.255" },
  { "+fd00::1", 6, "+ fd00::1" },
  { "-fd00::1-fe80::2", 6, "- fd00::1 fe80::2" },
  { "+fd00:0:0::1+FD00::1", 6, "+ fd00::1" },
  { "::1", 6, "+ ::1" },
};

TABLE_TEST (test_good, good)
{
  g_autoptr (AfxdpSources) sources =
      parse (good[__i__].text, good[__i__].version);
  g_autofree gchar *description = describe (sources, good[__i__].version);

  fail_unless_equals_string (description, good[__i__].description);
}

static const struct
{
  const gchar *text;
  guint version;
  const gchar *words;
} bad[] = {
  { "+", 4, "\"+\" has no address" },
  { " - ", 4, "has no address" },
  { "+10.0.0.256", 4, "\"10.0.0.256\" is neither" },
  { "+10.0.0.1+10.0.0", 4, "\"10.0.0\" is neither" },
  { "10.0.0.1,10.0.0.2", 4, "\"10.0.0.1,10.0.0.2\" is neither" },
  { "10.0.0.1 10.0.0.2", 4, "\"10.0.0.1 10.0.0.2\" is neither" },
  { "+sender.example", 4, "\"sender.example\" is neither" },
  { "+fe80::1%eth0", 6, "\"fe80::1%eth0\" is neither" },
  { "+fd00::1", 4, "\"fd00::1\" is an IPv6 address" },
  { "+fd00::1+10.0.0.1", 6, "\"10.0.0.1\" is an IPv4 address" },
  { "+232.1.1.1", 4, "\"232.1.1.1\" is not the address of a sender" },
  { "-224.0.0.0", 4, "\"224.0.0.0\" is not the address of a sender" },
  { "+0.0.0.0", 4, "\"0.0.0.0\" is not the address of a sender" },
  { "+ff15::1", 6, "\"ff15::1\" is not the address of a sender" },
  { "+::", 6, "\"::\" is not the address of a sender" },
  { "+10.0.0.1-10.0.0.2", 4, "\"-10.0.0.2\" has another sign" },
  { "-10.0.0.1+10.0.0.2", 4, "\"+10.0.0.2\" has another sign" },
  { "10.0.0.1-10.0.0.1", 4, "either included (+) or excluded (-)" },
};

TABLE_TEST (test_bad, bad)
{
  g_autoptr (GError) error = NULL;

  fail_if (
      afxdp_sources_parse (bad[__i__].text, bad[__i__].version, &error) != NULL,
      "\"%s\" is taken", bad[__i__].text);
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS));
  fail_unless (g_str_has_prefix (error->message, "multicast-source: "), "%s",
      error->message);
  fail_unless (strstr (error->message, bad[__i__].words), "%s", error->message);
}

static const struct
{
  const gchar *text;
  guint version;
  const gchar *address;
  gboolean matches;
} senders[] = {
  { NULL, 4, "10.0.0.1", TRUE },
  { NULL, 6, "fd00::1", TRUE },
  { "+10.0.0.1+10.0.0.3", 4, "10.0.0.1", TRUE },
  { "+10.0.0.1+10.0.0.3", 4, "10.0.0.2", FALSE },
  { "+10.0.0.1+10.0.0.3", 4, "10.0.0.3", TRUE },
  { "+10.0.0.1+10.0.0.3", 4, "1.0.0.10", FALSE },
  { "-10.0.0.1-10.0.0.3", 4, "10.0.0.1", FALSE },
  { "-10.0.0.1-10.0.0.3", 4, "10.0.0.2", TRUE },
  { "-10.0.0.1-10.0.0.3", 4, "10.0.0.3", FALSE },
  { "+fd00::1", 6, "fd00::1", TRUE },
  { "+fd00::1", 6, "fd00::2", FALSE },
  { "+fd00::1", 6, "fd01::1", FALSE },
  { "-fd00::1", 6, "fd00::1", FALSE },
  { "-fd00::1", 6, "fd00::2", TRUE },
};

TABLE_TEST (test_match, senders)
{
  guint version = senders[__i__].version;
  g_autoptr (AfxdpSources) sources = parse (senders[__i__].text, version);
  /* What is behind an IPv4 address does not matter. */
  guint8 address[16] = { [4] = 0xaa, [15] = 0xbb };

  inet_pton (
      version == 6 ? AF_INET6 : AF_INET, senders[__i__].address, address);
  fail_unless_equals_int (
      afxdp_sources_match (sources, address), senders[__i__].matches);
}

static const struct
{
  const gchar *a, *b;
  guint version;
  const gchar *description; /* of both */
} unions[] = {
  { NULL, NULL, 4, "any" },
  { NULL, "+10.0.0.1", 4, "any" },
  { NULL, "-10.0.0.1", 4, "any" },
  { "+10.0.0.1", "+10.0.0.1", 4, "+ 10.0.0.1" },
  { "+10.0.0.1", "+10.0.0.2", 4, "+ 10.0.0.1 10.0.0.2" },
  { "+10.0.0.3+10.0.0.1", "+10.0.0.2+10.0.0.3", 4,
      "+ 10.0.0.1 10.0.0.2 10.0.0.3" },
  { "-10.0.0.1", "-10.0.0.1", 4, "- 10.0.0.1" },
  { "-10.0.0.1", "-10.0.0.2", 4, "any" },
  { "-10.0.0.1-10.0.0.2", "-10.0.0.2-10.0.0.3", 4, "- 10.0.0.2" },
  { "+10.0.0.1", "-10.0.0.1", 4, "any" },
  { "+10.0.0.1", "-10.0.0.2", 4, "- 10.0.0.2" },
  { "+10.0.0.1+10.0.0.9", "-10.0.0.1-10.0.0.2-10.0.0.3", 4,
      "- 10.0.0.2 10.0.0.3" },
  { "+fd00::1", "+fd00::2", 6, "+ fd00::1 fd00::2" },
  { "-fd00::1-fd00::2", "+fd00::2", 6, "- fd00::1" },
};

/* The same both ways, and as each sender has it. */
TABLE_TEST (test_union, unions)
{
  guint version = unions[__i__].version;
  g_autoptr (AfxdpSources) a = parse (unions[__i__].a, version);
  g_autoptr (AfxdpSources) b = parse (unions[__i__].b, version);
  g_autoptr (AfxdpSources) a_b = afxdp_sources_union (a, b);
  g_autoptr (AfxdpSources) b_a = afxdp_sources_union (b, a);
  g_autofree gchar *description = describe (a_b, version);

  fail_unless_equals_string (description, unions[__i__].description);
  fail_unless (afxdp_sources_equal (a_b, b_a));
  for (guint8 i = 0; i < 16; i++) {
    guint8 address[16] = { 10, [3] = i };

    if (version == 6)
      inet_pton (AF_INET6, "fd00::", address);
    address[version == 6 ? 15 : 3] = i;
    fail_unless_equals_int (afxdp_sources_match (a_b, address),
        afxdp_sources_match (a, address) || afxdp_sources_match (b, address));
  }
}

static const struct
{
  const gchar *a, *b;
  gboolean equal;
  const gchar *description; /* of a without what b lists */
} pairs[] = {
  { NULL, NULL, TRUE, "any" },
  { NULL, "+10.0.0.1", FALSE, "any" },
  { "+10.0.0.1", NULL, FALSE, "+ 10.0.0.1" },
  { "+10.0.0.1", "+10.0.0.1", TRUE, "+" },
  { "+10.0.0.1+10.0.0.2", "+10.0.0.2+10.0.0.1+10.0.0.2", TRUE, "+" },
  { "+10.0.0.1", "-10.0.0.1", FALSE, "+" },
  { "-10.0.0.1-10.0.0.2", "-10.0.0.2", FALSE, "- 10.0.0.1" },
  { "+10.0.0.1+10.0.0.2", "+10.0.0.2+10.0.0.3", FALSE, "+ 10.0.0.1" },
};

TABLE_TEST (test_pairs, pairs)
{
  g_autoptr (AfxdpSources) a = parse (pairs[__i__].a, 4);
  g_autoptr (AfxdpSources) b = parse (pairs[__i__].b, 4);
  g_autoptr (AfxdpSources) rest = afxdp_sources_list_without (a, b);
  g_autofree gchar *description = describe (rest, 4);

  fail_unless_equals_int (afxdp_sources_equal (a, b), pairs[__i__].equal);
  fail_unless_equals_int (afxdp_sources_equal (b, a), pairs[__i__].equal);
  fail_unless_equals_string (description, pairs[__i__].description);
}

TEST (test_none)
{
  static const guint8 address[16];
  g_autoptr (AfxdpSources) any = afxdp_sources_union (NULL, NULL);

  fail_unless (any);
  fail_unless (afxdp_sources_equal (any, NULL));
  fail_unless_equals_int (afxdp_sources_kind (NULL), AFXDP_SOURCES_ANY);
  fail_unless_equals_int (afxdp_sources_n (NULL), 0);
  fail_unless (afxdp_sources_match (NULL, address));
  fail_unless (afxdp_sources_ref (NULL) == NULL);
  fail_unless (afxdp_sources_equal (NULL, NULL));
  afxdp_sources_unref (NULL);
}

TEST (test_many)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (AfxdpSources) sources = NULL;
  g_autoptr (AfxdpSources) other = NULL;

  for (guint i = 5000; i; i--)
    g_string_append_printf (text, "+10.0.%u.%u", 2 * i >> 8, 2 * i & 0xff);
  sources = parse (text->str, 4);
  other = afxdp_sources_ref (sources);
  fail_unless_equals_int (afxdp_sources_n (sources), 5000);
  for (guint i = 1; i <= 10001; i++) {
    guint8 address[4] = { 10, 0, i >> 8, i & 0xff };

    fail_unless_equals_int (
        afxdp_sources_match (sources, address), i % 2 == 0 && i <= 10000);
  }
}

SUITE ("sources", 0, NULL, NULL)
