/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prefixes and ports, and who may have them. */
#include "rules.h"

#include <string.h>

#include "error.h"

#define LONGEST_ADDRESS 16
#define FIRST_OF_EVERYBODY 1024 /* port */

typedef struct
{
  AfxdpSubject subject;
  guint size; /* bytes of the address; 0: it allows nothing */
  guint8 address[LONGEST_ADDRESS];
  guint bits; /* of the address that count */
  guint first_port, last_port;
} Rule;

typedef struct
{
  AfxdpSubject subject;
  AfxdpQuotaKind kind;
  guint64 value;
} Quota;

struct _AfxdpRules
{
  guint n_refs;
  GArray *rules;  /* Rule */
  GArray *quotas; /* Quota */
};

AfxdpRules *
afxdp_rules_new (void)
{
  AfxdpRules *rules = g_new0 (AfxdpRules, 1);

  rules->n_refs = 1;
  rules->rules = g_array_new (FALSE, FALSE, sizeof (Rule));
  rules->quotas = g_array_new (FALSE, FALSE, sizeof (Quota));
  return rules;
}

AfxdpRules *
afxdp_rules_ref (AfxdpRules *rules)
{
  rules->n_refs++;
  return rules;
}

void
afxdp_rules_unref (AfxdpRules *rules)
{
  if (!rules || --rules->n_refs)
    return;
  g_array_unref (rules->quotas);
  g_array_unref (rules->rules);
  g_free (rules);
}

/* Rules from texts. */

static gboolean
refuse (GError **error, const gchar *why)
{
  g_set_error_literal (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, why);
  return FALSE;
}

static gboolean
parse_number (const gchar *text, guint least, guint most, guint *number)
{
  guint64 value;

  /* g_ascii_string_to_unsigned() alone takes "+1" and " 1" for numbers. */
  if (!g_ascii_isdigit (*text) ||
      !g_ascii_string_to_unsigned (text, 10, least, most, &value, NULL))
    return FALSE;
  *number = value;
  return TRUE;
}

static gboolean
parse_ports (Rule *rule, const gchar *text, GError **error)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);

  if (!ends[0] || !parse_number (ends[0], 1, G_MAXUINT16, &rule->first_port) ||
      !parse_number (
          ends[1] ? ends[1] : ends[0], 1, G_MAXUINT16, &rule->last_port))
    return refuse (error,
        "has no port from 1 to 65535, or two of them such as 5000-5010, "
        "behind its last colon");
  if (rule->first_port > rule->last_port)
    return refuse (error, "has ports whose first is above the last");
  return TRUE;
}

/* Whether all bits behind the prefix are 0. */
static gboolean
is_prefix (const Rule *rule)
{
  for (guint bit = rule->bits; bit < 8 * rule->size; bit++)
    if (rule->address[bit / 8] & (0x80 >> bit % 8))
      return FALSE;
  return TRUE;
}

static gboolean
parse_prefix (Rule *rule, const gchar *text, const gchar *bits, GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  if (!address)
    return refuse (error,
        "does not begin with an address: an IPv6 one stands in brackets, a "
        "name is none");
  rule->size = g_inet_address_get_native_size (address);
  memcpy (rule->address, g_inet_address_to_bytes (address), rule->size);
  rule->bits = 8 * rule->size;
  if (bits && !parse_number (bits, 0, 8 * rule->size, &rule->bits))
    return refuse (error, "has no length of a prefix behind its slash");
  if (!is_prefix (rule))
    return refuse (error,
        "has an address that goes on behind its prefix: set the bits there to "
        "0, or make the prefix longer");
  return TRUE;
}

static gboolean
parse_rule (Rule *rule, const gchar *text, GError **error)
{
  g_autoptr (GRegex) regex =
      g_regex_new ("^(?:\\[([0-9a-fA-F:.]+)\\]|([0-9.]+))(?:/([0-9]+))?"
                   "(?::([0-9-]+))?$",
          G_REGEX_DOLLAR_ENDONLY, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree gchar *in_brackets = NULL, *plain = NULL, *bits = NULL,
                   *ports = NULL;

  if (!g_regex_match (regex, text, 0, &match))
    return refuse (error,
        "is no rule: write PREFIX[:PORTS], such as 239.1.0.0/16:5000-5010 or "
        "[ff3e::]/32:5004, or none");
  in_brackets = g_match_info_fetch (match, 1);
  plain = g_match_info_fetch (match, 2);
  bits = g_match_info_fetch (match, 3);
  ports = g_match_info_fetch (match, 4);
  rule->first_port = 1;
  rule->last_port = G_MAXUINT16;
  return parse_prefix (rule, *in_brackets ? in_brackets : plain,
             bits && *bits ? bits : NULL, error) &&
      (!ports || !*ports || parse_ports (rule, ports, error));
}

gboolean
afxdp_rules_add (
    AfxdpRules *rules, AfxdpSubject subject, const gchar *text, GError **error)
{
  Rule rule = { .subject = subject };

  if (strcmp (text, "none") && !parse_rule (&rule, text, error))
    return FALSE;
  g_array_append_val (rules->rules, rule);
  return TRUE;
}

void
afxdp_rules_set_quota (
    AfxdpRules *rules, AfxdpSubject subject, AfxdpQuotaKind kind, guint64 value)
{
  const Quota quota = { subject, kind, value };

  g_array_append_val (rules->quotas, quota);
}

/* Answers. */

static gboolean
is_peer (const AfxdpSubject *subject, const AfxdpPeer *peer)
{
  switch (subject->kind) {
    case AFXDP_SUBJECT_USER:
      return subject->id == peer->uid;
    case AFXDP_SUBJECT_GROUP:
      for (guint i = 0; i < peer->n_groups; i++)
        if (peer->groups[i] == subject->id)
          return TRUE;
      return FALSE;
    default:
      return TRUE;
  }
}

static gboolean
names (const Rule *rule, const guint8 *address, guint size, guint16 port)
{
  guint bytes = rule->bits / 8, rest = rule->bits % 8;

  return rule->size == size && port >= rule->first_port &&
      port <= rule->last_port && !memcmp (rule->address, address, bytes) &&
      (!rest ||
          !((rule->address[bytes] ^ address[bytes]) & (0xff00 >> rest) & 0xff));
}

/* Scopes 0 to 2 of RFC 4291 and 7346 never leave a link, nor does 224.0.0.0/24. Ports
 * below 1024 are services of the host, whose packets a redirect would take away: PTP
 * (224.0.1.129:319) keeps its clock. */
static gboolean
is_of_everybody (GInetAddress *address, guint16 port)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (!g_inet_address_get_is_multicast (address) || port < FIRST_OF_EVERYBODY)
    return FALSE;
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    return (bytes[1] & 0xf) > 2;
  return bytes[1] || bytes[2] || bytes[0] != 224;
}

gboolean
afxdp_rules_allow (const AfxdpRules *rules, const AfxdpPeer *peer,
    GInetAddress *address, guint16 port, GError **error)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  guint size = g_inet_address_get_native_size (address);
  g_autofree gchar *text = NULL;
  gboolean has_rules = FALSE;

  for (guint i = 0; i < rules->rules->len; i++) {
    const Rule *rule = &g_array_index (rules->rules, Rule, i);

    has_rules |= rule->subject.kind == AFXDP_SUBJECT_EVERYBODY;
    if (is_peer (&rule->subject, peer) && names (rule, bytes, size, port))
      return TRUE;
  }
  if (!has_rules && is_of_everybody (address, port))
    return TRUE;
  text = g_inet_address_to_string (address);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION,
      "The distributor daemon does not give %s port %u to user %u: %s", text,
      (guint) port, (guint) peer->uid,
      has_rules ? "no rule names it. Its administrator allows it by allow= in "
                  "its configuration, or --allow"
                : "without a rule it gives multicast groups alone, none of "
                  "those that stay in their network, and no port below 1024. "
                  "Its administrator allows others by allow= in its "
                  "configuration, or --allow");
  return FALSE;
}

guint64
afxdp_rules_quota (
    const AfxdpRules *rules, const AfxdpPeer *peer, AfxdpQuotaKind kind)
{
  guint64 values[] = { [AFXDP_SUBJECT_EVERYBODY] = 0,
    [AFXDP_SUBJECT_USER] = 0,
    [AFXDP_SUBJECT_GROUP] = 0 };

  for (guint i = 0; i < rules->quotas->len; i++) {
    const Quota *quota = &g_array_index (rules->quotas, Quota, i);
    guint64 *value = &values[quota->subject.kind];

    if (quota->kind != kind || !is_peer (&quota->subject, peer))
      continue;
    *value = quota->subject.kind == AFXDP_SUBJECT_GROUP
        ? MAX (*value, quota->value)
        : quota->value;
  }
  return values[AFXDP_SUBJECT_USER] ? values[AFXDP_SUBJECT_USER]
      : values[AFXDP_SUBJECT_GROUP] ? values[AFXDP_SUBJECT_GROUP]
                                    : values[AFXDP_SUBJECT_EVERYBODY];
}
