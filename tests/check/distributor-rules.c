/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which streams the distributor daemon gives to whom, by its rules. */
#include "distributor/rules.h"

#include "error.h"
#include "suite.h"

#define UID 1000
#define GID 100
#define SUPPLEMENTARY 44

static AfxdpRules *rules;
static const AfxdpSubject everybody = { AFXDP_SUBJECT_EVERYBODY };
static const AfxdpSubject user = { AFXDP_SUBJECT_USER, UID };
static const AfxdpSubject group = { AFXDP_SUBJECT_GROUP, SUPPLEMENTARY };

static void
set_up (void)
{
  rules = afxdp_rules_new ();
}

static void
tear_down (void)
{
  afxdp_rules_unref (rules);
}

static void
add (AfxdpSubject subject, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  fail_unless (afxdp_rules_add (rules, subject, text, &error), "%s: %s", text,
      error ? error->message : "");
}

static gboolean
may (guint32 uid, const gchar *text, guint16 port)
{
  guint32 groups[] = { GID, SUPPLEMENTARY };
  const AfxdpPeer peer = { uid, groups, uid == UID ? 2 : 1 };
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  g_autoptr (GError) error = NULL;
  gboolean allowed = afxdp_rules_allow (rules, &peer, address, port, &error);

  fail_unless (allowed == !error);
  if (error) {
    fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION));
    fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  }
  return allowed;
}

static const struct
{
  const gchar *address;
  gboolean allowed;
} presets[] = {
  { "224.0.0.0", FALSE },
  { "224.0.0.251", FALSE },
  { "224.0.1.0", TRUE },
  { "224.1.0.0", TRUE },
  { "239.255.255.255", TRUE },
  { "240.0.0.1", FALSE },
  { "223.255.255.255", FALSE },
  { "10.0.0.2", FALSE },
  { "255.255.255.255", FALSE },
  { "ff00::1", FALSE },
  { "ff01::1", FALSE },
  { "ff02::1", FALSE },
  { "ff12::1", FALSE },
  { "ff32::1", FALSE },
  { "ff03::1", TRUE },
  { "ff05::1", TRUE },
  { "ff3e::1", TRUE },
  { "fd00::2", FALSE },
  { "fe80::1", FALSE },
  { "::1", FALSE },
};

TABLE_TEST (test_without_a_rule, presets)
{
  fail_unless (
      may (UID, presets[__i__].address, 5000) == presets[__i__].allowed, "%s",
      presets[__i__].address);
}

/* What the kernel lets nobody bind who has no privilege is no stream either. */
TEST (test_privileged_port)
{
  fail_unless (may (UID, "224.0.1.129", 1024));
  fail_if (may (UID, "224.0.1.129", 1023));
  fail_if (may (UID, "224.0.1.129", 319));
  fail_if (may (UID, "ff0e::181", 320));
  add (everybody, "224.0.1.129:319-320");
  fail_unless (may (UID, "224.0.1.129", 319));
}

static const struct
{
  const gchar *rule;
  const gchar *inside, *outside; /* addresses */
  guint16 first, last;           /* ports */
} named[] = {
  { "239.1.0.0/16:5000-5010", "239.1.255.1", "239.2.0.0", 5000, 5010 },
  { "239.1.2.128/25:5004", "239.1.2.129", "239.1.2.127", 5004, 5004 },
  { "239.1.2.3", "239.1.2.3", "239.1.2.2", 1, 65535 },
  { "10.0.0.2:5004", "10.0.0.2", "10.0.0.3", 5004, 5004 },
  { "224.0.0.0/4", "224.0.0.251", "240.0.0.0", 1, 65535 },
  { "[ff3e::]/32:5004", "ff3e::1", "ff3e:1::1", 5004, 5004 },
  { "[ff3e::]/15", "ff3f::1", "ff3c::1", 1, 65535 },
  { "[fd00::2]:1-2", "fd00::2", "fd00::3", 1, 2 },
  { "0.0.0.0/0:7", "9.9.9.9", "fd00::3", 7, 7 },
};

TABLE_TEST (test_named, named)
{
  const gchar *inside = named[__i__].inside;
  guint first = named[__i__].first, last = named[__i__].last;

  add (everybody, named[__i__].rule);
  fail_unless (may (UID, inside, first));
  fail_unless (may (UID, inside, last));
  fail_if (first > 1 && may (UID, inside, first - 1));
  fail_if (last < 65535 && may (UID, inside, last + 1));
  fail_if (may (UID, named[__i__].outside, first));
}

/* Nothing of it is taken for a rule of a shorter text. */
static const gchar *const wrong[] = { "", " ", "239.1.0.0/", "239.1.0.0/33",
  "239.1.0.1/16", "239.1.0/16", "239.1.0.0/16:", "239.1.0.0/16:0",
  "239.1.0.0/16:65536", "239.1.0.0/16:5010-5000", "239.1.0.0/16:1-2-3",
  "239.1.0.0/16:-5", "239.1.0.0/16:5-", "ff3e::/32", "[ff3e::/32]",
  "[ff3e::]/129", "[ff3e::1]/32", "[239.1.1.1]x", "[]", "eth1", "None",
  "239.1.1.1\n", "239.1.1.1 ", "239.1.1.1/+8", "239.1.1.1:+5",
  "239.1.1.1:99999999999999999999" };

TABLE_TEST (test_wrong, wrong)
{
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_rules_add (rules, everybody, wrong[__i__], &error), "\"%s\"",
      wrong[__i__]);
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS));
  /* It is no rule, and so all is as if nobody had tried. */
  fail_unless (may (UID, "239.1.1.1", 5000));
}

TEST (test_none)
{
  add (everybody, "none");
  fail_if (may (UID, "239.1.1.1", 5000));
  add (everybody, "239.1.1.1:5000");
  fail_unless (may (UID, "239.1.1.1", 5000));
  fail_if (may (UID, "239.1.1.2", 5000));
}

TEST (test_users)
{
  add (user, "10.0.0.2:5004");
  fail_unless (may (UID, "10.0.0.2", 5004));
  fail_if (may (UID + 1, "10.0.0.2", 5004));
  /* They add to what everybody may have. */
  fail_unless (may (UID, "239.1.1.1", 5000));
  fail_unless (may (UID + 1, "239.1.1.1", 5000));
  add (everybody, "none");
  fail_unless (may (UID, "10.0.0.2", 5004));
  fail_if (may (UID, "239.1.1.1", 5000));
}

TEST (test_groups)
{
  add (everybody, "none");
  add (group, "239.1.1.1");
  fail_unless (may (UID, "239.1.1.1", 5000));
  fail_if (may (UID + 1, "239.1.1.1", 5000));
  /* A group is no user of the same number. */
  fail_if (may (SUPPLEMENTARY, "239.1.1.1", 5000));
}

static guint64
quota (guint32 uid)
{
  guint32 groups[] = { GID, SUPPLEMENTARY };
  const AfxdpPeer peer = { uid, groups, uid == UID ? 2 : 1 };

  return afxdp_rules_quota (rules, &peer, AFXDP_QUOTA_STREAMS);
}

TEST (test_quotas)
{
  const AfxdpSubject first_group = { AFXDP_SUBJECT_GROUP, GID };

  fail_unless_equals_int (quota (UID), 0);
  afxdp_rules_set_quota (rules, everybody, AFXDP_QUOTA_STREAMS, 64);
  afxdp_rules_set_quota (rules, everybody, AFXDP_QUOTA_MEMORY, 1 << 20);
  fail_unless_equals_int (quota (UID), 64);
  afxdp_rules_set_quota (rules, group, AFXDP_QUOTA_STREAMS, 8);
  fail_unless_equals_int (quota (UID), 8);
  fail_unless_equals_int (quota (UID + 1), 64);
  /* The largest of its groups', in whichever order. */
  afxdp_rules_set_quota (rules, first_group, AFXDP_QUOTA_STREAMS, 4);
  fail_unless_equals_int (quota (UID), 8);
  fail_unless_equals_int (quota (UID + 1), 4);
  afxdp_rules_set_quota (rules, user, AFXDP_QUOTA_STREAMS, 2);
  fail_unless_equals_int (quota (UID), 2);
  /* What is said last is said, as a command line behind a file. */
  afxdp_rules_set_quota (rules, everybody, AFXDP_QUOTA_STREAMS, 3);
  fail_unless_equals_int (quota (UID), 2);
}

SUITE ("distributor-rules", 0, set_up, tear_down)
