/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which streams a client may ask for, and how much: rules for everybody, and for users
 * and groups. Nothing here looks at the host: numbers come in, an answer goes out.
 *
 * Where there is no rule for everybody, everybody may have any multicast group but those
 * that never leave a network (224.0.0.0/24; IPv6 of interface-local and link-local
 * scope), on ports from 1024 on. Rules of a user or a group add to what everybody may
 * have.
 *
 * For one thread.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_SUBJECT_EVERYBODY,
  AFXDP_SUBJECT_USER,
  AFXDP_SUBJECT_GROUP,
} AfxdpSubjectKind;

/* Whom a rule is for. */
typedef struct
{
  AfxdpSubjectKind kind;
  guint32 id; /* uid or gid */
} AfxdpSubject;

/* Who asks. */
typedef struct
{
  guint32 uid;
  guint32 *groups; /* the first one's, and the supplementary ones */
  guint n_groups;
} AfxdpPeer;

typedef enum
{
  AFXDP_QUOTA_STREAMS, /* of all clients of a uid */
  AFXDP_QUOTA_MEMORY,  /* bytes, of a client */
  AFXDP_N_QUOTAS,
} AfxdpQuotaKind;

typedef struct _AfxdpRules AfxdpRules;

AfxdpRules *afxdp_rules_new (void);
AfxdpRules *afxdp_rules_ref (AfxdpRules *rules);
void afxdp_rules_unref (AfxdpRules *rules);

/* Adds PREFIX[:PORTS], such as 239.1.0.0/16:5000-5010, 10.0.0.2:5004 (a whole address) or
 * [ff3e::]/32; or "none", which allows nothing, and is a rule. Errors:
 * AFXDP_ERROR_SETTINGS, a text to be put behind the rule's. */
gboolean afxdp_rules_add (
    AfxdpRules *rules, AfxdpSubject subject, const gchar *text, GError **error);
/* The quota of a user comes before those of its groups, of which the largest counts, and
 * these before that of everybody. */
void afxdp_rules_set_quota (AfxdpRules *rules, AfxdpSubject subject,
    AfxdpQuotaKind kind, guint64 value);

/* Whether peer may have the stream. Errors: AFXDP_ERROR_PERMISSION, a sentence for the
 * user. */
gboolean afxdp_rules_allow (const AfxdpRules *rules, const AfxdpPeer *peer,
    GInetAddress *address, guint16 port, GError **error);
/* 0: nothing was set. */
guint64 afxdp_rules_quota (
    const AfxdpRules *rules, const AfxdpPeer *peer, AfxdpQuotaKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpRules, afxdp_rules_unref)

G_END_DECLS
