/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of settings, and what a text means to each. */
#include "daemonsettings.h"

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/un.h>

#include "error.h"
#include "listenaddress.h"
#include "protocol.h"

#define KIB G_GUINT64_CONSTANT (1024)
#define LARGEST_UMEM (16u << 20)
#define MOST_CLIENTS 65536

static gboolean refuse (GError **error, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error,
      g_error_new_valist (
          AFXDP_ERROR, AFXDP_ERROR_SETTINGS, format, arguments));
  va_end (arguments);
  return FALSE;
}

/* Values. */

static gboolean
parse_number (const AfxdpSetting *setting, const gchar *text, guint64 *value,
    GError **error)
{
  /* g_ascii_string_to_unsigned() alone takes "+1" for a number. */
  if (g_ascii_isdigit (*text) &&
      g_ascii_string_to_unsigned (
          text, 10, setting->least, setting->most, value, NULL))
    return TRUE;
  return refuse (error,
      "is no number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
      setting->least, setting->most);
}

/* The unit of a number of bytes; 0: there is no such suffix. */
static guint64
unit_of (const gchar *suffix)
{
  static const gchar suffixes[] = "KMG";
  const gchar *place;
  guint64 unit = 1;

  if (!*suffix)
    return 1;
  place = strchr (suffixes, g_ascii_toupper (*suffix));
  if (!place || suffix[1])
    return 0;
  for (const gchar *i = suffixes; i <= place; i++)
    unit *= KIB;
  return unit;
}

static gboolean
parse_bytes (const AfxdpSetting *setting, const gchar *text, guint64 *bytes,
    GError **error)
{
  gchar *end = NULL;
  guint64 value = g_ascii_strtoull (text, &end, 10), unit = unit_of (end);

  if (!g_ascii_isdigit (*text) || !unit || value > setting->most / unit ||
      value * unit < setting->least)
    return refuse (error,
        "is no number of bytes from %" G_GUINT64_FORMAT
        "K to %" G_GUINT64_FORMAT "G: write 67108864, 65536K, 64M or 1G",
        setting->least / KIB, setting->most / (KIB * KIB * KIB));
  *bytes = value * unit;
  return TRUE;
}

static gboolean
set_number (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  guint64 value = 0;

  if (!parse_number (setting, text, &value, error))
    return FALSE;
  G_STRUCT_MEMBER (guint, settings, setting->offset) = value;
  return TRUE;
}

static gboolean
set_time (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  return parse_number (
      setting, text, G_STRUCT_MEMBER_P (settings, setting->offset), error);
}

static gboolean
set_interface (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  if (!*text || strlen (text) >= IF_NAMESIZE)
    return refuse (error,
        "is no name of a network interface: such a one has 1 to %d bytes",
        IF_NAMESIZE - 1);
  if (g_ptr_array_find_with_equal_func (
          settings->interfaces, text, g_str_equal, NULL))
    return refuse (error, "is there twice: leave one out");
  g_ptr_array_add (settings->interfaces, g_strdup (text));
  return TRUE;
}

static gboolean
set_socket (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  gsize most = sizeof ((struct sockaddr_un *) NULL)->sun_path - 1;

  if (*text != '/' || strlen (text) > most)
    return refuse (error,
        "is no path for a socket: it begins with / and has at most "
        "%" G_GSIZE_FORMAT " bytes",
        most);
  g_free (settings->socket);
  settings->socket = g_strdup (text);
  return TRUE;
}

static gboolean
set_group (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  if (!*text)
    return refuse (error, "names no group: leave it out for the daemon's own");
  g_free (settings->group);
  settings->group = g_strdup (text);
  return TRUE;
}

static gboolean
set_mode (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  static const gchar *const modes[] = {
    [AFXDP_MODE_AUTO] = "auto",
    [AFXDP_MODE_AF_XDP] = "af-xdp",
    [AFXDP_MODE_SOCKET] = "socket",
  };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    if (!g_str_equal (modes[i], text))
      continue;
    settings->mode = i;
    return TRUE;
  }
  return refuse (error, "is no mode: there are auto, af-xdp and socket");
}

static gboolean
set_cpus (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  g_auto (GStrv) ranges = g_strsplit (text, ",", -1);
  g_autoptr (GArray) cpus = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; ranges[i]; i++) {
    g_auto (GStrv) ends = g_strsplit (ranges[i], "-", 2);
    guint64 first = 0, last = 0;

    if (!ends[0] || !parse_number (setting, ends[0], &first, NULL) ||
        !parse_number (setting, ends[1] ? ends[1] : ends[0], &last, NULL) ||
        first > last)
      return refuse (error,
          "is no list of processors: write 1,3-4, of numbers from 0 to "
          "%" G_GUINT64_FORMAT,
          setting->most);
    for (guint cpu = first; cpu <= last; cpu++)
      g_array_append_val (cpus, cpu);
  }
  if (!cpus->len)
    return refuse (error, "names no processor: leave it out for any");
  g_array_unref (settings->cpus);
  settings->cpus = g_steal_pointer (&cpus);
  return TRUE;
}

static gboolean
set_allow (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  return afxdp_rules_add (settings->rules, subject, text, error);
}

static gboolean
set_max_streams (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  guint64 value = 0;

  if (!parse_number (setting, text, &value, error))
    return FALSE;
  afxdp_rules_set_quota (settings->rules, subject, AFXDP_QUOTA_STREAMS, value);
  return TRUE;
}

static gboolean
set_max_memory (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  guint64 value = 0;

  if (!parse_bytes (setting, text, &value, error))
    return FALSE;
  afxdp_rules_set_quota (settings->rules, subject, AFXDP_QUOTA_MEMORY, value);
  return TRUE;
}

static gboolean
set_metrics (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
    AfxdpSubject subject, const gchar *text, GError **error)
{
  g_autoptr (GSocketAddress) address = afxdp_listen_address_parse (text);

  if (!address)
    return refuse (
        error, "is no address with a port: write 127.0.0.1:9465 or [::1]:9465");
  g_free (settings->metrics);
  settings->metrics = g_strdup (text);
  return TRUE;
}

#define FIELD(name) G_STRUCT_OFFSET (AfxdpDaemonSettings, name)

const AfxdpSetting afxdp_settings_table[] = {
  { .name = "interface",
      .key = "interfaces",
      .argument = "NAME",
      .about = "Receive on this network interface. Give it again for more",
      .repeated = TRUE,
      .set = set_interface },
  { .name = "socket",
      .key = "socket",
      .argument = "PATH",
      .about = "Clients connect here (" AFXDP_PROTOCOL_SOCKET ")",
      .preset = AFXDP_PROTOCOL_SOCKET,
      .set = set_socket },
  { .name = "group",
      .key = "group",
      .argument = "NAME",
      .about = "The members of this group may connect (the daemon's own)",
      .set = set_group },
  { .name = "mode",
      .key = "mode",
      .argument = "MODE",
      .about =
          "AF_XDP is used when it can be (auto), always (af-xdp), or never "
          "(socket)",
      .preset = "auto",
      .set = set_mode },
  { .name = "allow",
      .key = "allow",
      .argument = "PREFIX[:PORTS]",
      .about = "Clients may have these streams, such as "
               "239.1.0.0/16:5000-5010 or [ff3e::]/32:5004; none allows "
               "nothing. Give it again for more (any multicast group)",
      .repeated = TRUE,
      .personal = TRUE,
      .set = set_allow },
  { .name = "max-clients",
      .key = "max-clients",
      .argument = "N",
      .about = "Streams that are given to clients at a time, in all (64)",
      .preset = "64",
      .set = set_number,
      .offset = FIELD (max_clients),
      .least = 1,
      .most = MOST_CLIENTS },
  { .name = "max-streams",
      .key = "max-streams",
      .argument = "N",
      .about = "Streams of all clients of one user (64)",
      .preset = "64",
      .personal = TRUE,
      .set = set_max_streams,
      .least = 1,
      .most = MOST_CLIENTS },
  { .name = "max-memory",
      .key = "max-memory",
      .argument = "BYTES",
      .about = "Memory of one stream of a client, with K, M or G behind it "
               "(64M)",
      .preset = "64M",
      .personal = TRUE,
      .set = set_max_memory,
      .least = 256 * KIB,
      .most = 64 * KIB * KIB * KIB },
  { .name = "cpus",
      .key = "cpus",
      .argument = "LIST",
      .about = "Processors for the threads that receive, in turn, such as "
               "1,3-4 (any)",
      .set = set_cpus,
      .most = CPU_SETSIZE - 1 },
  { .name = "umem-frames",
      .key = "umem-frames",
      .argument = "N",
      .about = "Frames of the packet memory of an interface, 0 = automatic (0)",
      .preset = "0",
      .set = set_number,
      .offset = FIELD (umem_frames),
      .most = LARGEST_UMEM },
  /* As the element's property of this name: who moves a figure from there to here
   * must not meet another unit. */
  { .name = "coalesce",
      .key = "coalesce",
      .argument = "NS",
      .about = "How long a thread may sleep to gather packets, in ns; 0 = each "
               "packet wakes it (1000000)",
      .preset = "1000000",
      .set = set_time,
      .offset = FIELD (coalesce),
      .most = G_USEC_PER_SEC * 1000 },
  { .name = "metrics",
      .key = "metrics",
      .argument = "ADDRESS:PORT",
      .about = "Prometheus may read there what --status shows, by HTTP, such "
               "as 127.0.0.1:9465 (nowhere)",
      .set = set_metrics },
  { .name = "verbose",
      .key = "verbose",
      .argument = "LEVEL",
      .about = "Also tell what is chosen on interfaces and why (1), and each "
               "change (2) (0)",
      .preset = "0",
      .set = set_number,
      .offset = FIELD (verbose),
      .most = 2 },
  { NULL },
};

guint
afxdp_settings_n (void)
{
  return G_N_ELEMENTS (afxdp_settings_table) - 1;
}

AfxdpDaemonSettings *
afxdp_daemon_settings_new (void)
{
  AfxdpDaemonSettings *settings = g_new0 (AfxdpDaemonSettings, 1);

  settings->interfaces = g_ptr_array_new_with_free_func (g_free);
  settings->cpus = g_array_new (FALSE, FALSE, sizeof (guint));
  settings->rules = afxdp_rules_new ();
  settings->texts = g_new0 (gchar *, afxdp_settings_n () + 1);
  for (guint i = 0; i < afxdp_settings_n (); i++) {
    const gchar *texts[] = { afxdp_settings_table[i].preset, NULL };

    if (!afxdp_daemon_settings_set (settings, i, (AfxdpSubject){ 0 }, texts,
            afxdp_settings_table[i].name, NULL))
      g_assert_not_reached ();
  }
  return settings;
}

void
afxdp_daemon_settings_free (AfxdpDaemonSettings *settings)
{
  if (!settings)
    return;
  for (guint i = 0; i < afxdp_settings_n (); i++)
    g_free (settings->texts[i]);
  g_free (settings->texts);
  afxdp_rules_unref (settings->rules);
  g_array_unref (settings->cpus);
  g_free (settings->metrics);
  g_free (settings->group);
  g_free (settings->socket);
  g_ptr_array_unref (settings->interfaces);
  g_free (settings);
}

gboolean
afxdp_daemon_settings_set (AfxdpDaemonSettings *settings, guint which,
    AfxdpSubject subject, const gchar *const *texts, const gchar *where,
    GError **error)
{
  const AfxdpSetting *setting = &afxdp_settings_table[which];

  for (guint i = 0; texts[i]; i++) {
    if (setting->set (settings, setting, subject, texts[i], error))
      continue;
    g_prefix_error (error, "%s=%s ", where, texts[i]);
    return FALSE;
  }
  if (subject.kind == AFXDP_SUBJECT_EVERYBODY) {
    g_free (settings->texts[which]);
    settings->texts[which] = g_strjoinv (";", (gchar **) texts);
  }
  return TRUE;
}
