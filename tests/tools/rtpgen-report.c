/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts a run into words and into JSON. What a flow reports is one table, of
 * which both are made.
 */
#include "rtpgen-report.h"

#define NS 1e9

/* A rate is kept at this part of it, or when the run took no longer than by so
 * many seconds: one time slice of the scheduler is much in a short run. */
#define RATE_KEPT 0.99
#define LATE_ALLOWED 0.01

/* What is reported of each flow, and added up over all of them. */
typedef struct
{
  guint64 packets;
  guint64 bytes;
  guint64 markers;
  guint64 missing;
  guint64 silent; /* of missing: not sent at their time */
  guint64 duplicates;
  guint64 reordered;
} Counts;

typedef struct
{
  const gchar *name;
  goffset offset;
} CountField;

static const CountField count_fields[] = {
  { "packets", G_STRUCT_OFFSET (Counts, packets) },
  { "bytes", G_STRUCT_OFFSET (Counts, bytes) },
  { "markers", G_STRUCT_OFFSET (Counts, markers) },
  { "missing", G_STRUCT_OFFSET (Counts, missing) },
  { "silent", G_STRUCT_OFFSET (Counts, silent) },
  { "duplicates", G_STRUCT_OFFSET (Counts, duplicates) },
  { "reordered", G_STRUCT_OFFSET (Counts, reordered) },
};

static guint64
get_count (const Counts *counts, guint field)
{
  return G_STRUCT_MEMBER (guint64, counts, count_fields[field].offset);
}

static void
count_flow (
    const RtpgenJob *job, guint number, Counts *counts, RtpgenTally *tally)
{
  const struct rtpgen_flow *flow = &job->flows[number];

  rtpgen_script_tally (
      &job->plan, job->stretches, flow->packets + flow->silent, tally);
  counts->packets = flow->packets;
  counts->bytes = flow->bytes;
  counts->markers = flow->markers;
  counts->missing = tally->missing;
  counts->silent = tally->silent;
  counts->duplicates = tally->duplicates;
  counts->reordered = tally->reordered;
}

static void
count_all (const RtpgenJob *job, Counts *total)
{
  *total = (Counts){ 0 };
  for (guint flow = 0; flow < job->plan.flows; flow++) {
    RtpgenTally tally;
    Counts counts;

    count_flow (job, flow, &counts, &tally);
    for (guint i = 0; i < G_N_ELEMENTS (count_fields); i++)
      G_STRUCT_MEMBER (guint64, total, count_fields[i].offset) +=
          get_count (&counts, i);
  }
}

/* With a rate, the last packets' own share of time belongs to the run. Pauses do
 * not. */
static gdouble
get_elapsed (const RtpgenJob *job, const RtpgenRun *run)
{
  const guint64 turns = rtpgen_job_count_turns (job);
  gdouble elapsed;

  if (!turns)
    return 0;
  elapsed = (run->last_ns - run->start_ns -
                rtpgen_script_pauses (&job->plan, job->stretches,
                    job->flows[0].packets + job->flows[0].silent)) /
      NS;
  if (job->plan.rate)
    elapsed += (gdouble) ((turns - 1) % job->plan.burst + 1) / job->plan.rate;
  return elapsed;
}

static gdouble
get_rate (const RtpgenJob *job, const RtpgenRun *run)
{
  const gdouble elapsed = get_elapsed (job, run);

  return elapsed > 0 ? rtpgen_job_count_turns (job) / elapsed : 0;
}

static gboolean
is_slow (const RtpgenJob *job, const RtpgenRun *run)
{
  const gdouble turns = rtpgen_job_count_turns (job);
  const gdouble rate = job->plan.rate;

  return rate > 0 && get_rate (job, run) < RATE_KEPT * rate &&
      get_elapsed (job, run) > turns / rate + LATE_ALLOWED;
}

RtpgenVerdict
rtpgen_report_judge (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery)
{
  if (rtpgen_delivery_count_dropped (delivery) || run->failed)
    return RTPGEN_VERDICT_DROPPED;
  return is_slow (job, run) ? RTPGEN_VERDICT_SLOW : RTPGEN_VERDICT_OK;
}

gchar *
rtpgen_report_complain (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery)
{
  g_autofree gchar *drops = rtpgen_delivery_explain (delivery, job->interface);
  GString *text = g_string_new (drops);

  if (run->failed)
    g_string_append_printf (text,
        "%" G_GUINT64_FORMAT " packets could not be written into their live "
        "frames: the run ended there. This is a bug of rtpgen.\n",
        run->failed);
  if (is_slow (job, run))
    g_string_append_printf (text,
        "Sent %.0f packets/s where %" G_GUINT64_FORMAT
        " were asked: the CPU is too slow or has other work. Give --cpu, or a "
        "larger --burst.\n",
        get_rate (job, run), (guint64) job->plan.rate);
  if (!job->interface->is_veth)
    g_string_append_printf (text,
        "Interface %s is no veth: that it delivered the packets is not proved, "
        "only that its tx_dropped stood still.\n",
        job->interface->name);
  return g_string_free (text, FALSE);
}

gchar *
rtpgen_report_to_text (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery)
{
  GString *text = g_string_new (NULL);
  Counts total;

  count_all (job, &total);
  for (guint flow = 0; flow < job->plan.flows; flow++) {
    g_autofree gchar *to =
        rtpgen_address_to_string (&job->routes[flow].destination);
    RtpgenTally tally;
    Counts counts;

    count_flow (job, flow, &counts, &tally);
    g_string_append_printf (text, "flow %u to %s:", flow, to);
    for (guint i = 0; i < G_N_ELEMENTS (count_fields); i++)
      g_string_append_printf (text, " %s %" G_GUINT64_FORMAT,
          count_fields[i].name, get_count (&counts, i));
    if (counts.packets)
      g_string_append_printf (text, ", seq %u to %u",
          rtpgen_plan_sequence (&job->plan, tally.first),
          rtpgen_plan_sequence (&job->plan, tally.last));
    g_string_append_c (text, '\n');
  }
  g_string_append (text, "all:");
  for (guint i = 0; i < G_N_ELEMENTS (count_fields); i++)
    g_string_append_printf (text, " %s %" G_GUINT64_FORMAT,
        count_fields[i].name, get_count (&total, i));
  g_string_append_printf (text,
      ", %s dropped %" G_GUINT64_FORMAT "\n%.6f s, %.0f packets/s, %.1f Mbit/s",
      job->interface->name, rtpgen_delivery_count_dropped (delivery),
      get_elapsed (job, run), get_rate (job, run),
      get_elapsed (job, run) > 0
          ? total.bytes * 8 / get_elapsed (job, run) / 1e6
          : 0);
  if (job->plan.rate)
    g_string_append_printf (
        text, ", at most %.1f µs late", run->late_max_ns / 1e3);
  g_string_append_c (text, '\n');
  return g_string_free (text, FALSE);
}

/* A double as JSON wants it, whatever the locale says. */
static void
append_double (GString *json, const gchar *name, gdouble value)
{
  gchar digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (json, "  \"%s\": %s,\n", name,
      g_ascii_formatd (digits, sizeof digits, "%.6f", value));
}

static void
append_flow (GString *json, const RtpgenJob *job, guint number)
{
  const RtpgenRoute *route = &job->routes[number];
  g_autofree gchar *source = rtpgen_address_to_string (&route->source);
  g_autofree gchar *to = rtpgen_address_to_string (&route->destination);
  RtpgenTally tally;
  Counts counts;

  count_flow (job, number, &counts, &tally);
  g_string_append_printf (json,
      "    { \"destination\": \"%s\", \"source\": \"%s\", \"ssrc\": %u", to,
      source, route->ssrc);
  for (guint i = 0; i < G_N_ELEMENTS (count_fields); i++)
    g_string_append_printf (json, ", \"%s\": %" G_GUINT64_FORMAT,
        count_fields[i].name, get_count (&counts, i));
  if (counts.packets)
    g_string_append_printf (json,
        ",\n      \"first-seq\": %u, \"last-seq\": %u, \"first-index\": "
        "%" G_GUINT64_FORMAT ", \"last-index\": %" G_GUINT64_FORMAT
        ", \"highest-index\": %" G_GUINT64_FORMAT,
        rtpgen_plan_sequence (&job->plan, tally.first),
        rtpgen_plan_sequence (&job->plan, tally.last), tally.first, tally.last,
        tally.highest);
  g_string_append_printf (
      json, " }%s\n", number + 1 < job->plan.flows ? "," : "");
}

static void
append_integer (GString *json, const gchar *name, guint64 value)
{
  g_string_append_printf (
      json, "  \"%s\": %" G_GUINT64_FORMAT ",\n", name, value);
}

gchar *
rtpgen_report_to_json (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery)
{
  static const gchar *const verdicts[] = { "ok", "dropped", "error", "slow" };
  const gboolean live = job->options->method == RTPGEN_METHOD_LIVE;
  const guint64 dropped = rtpgen_delivery_count_dropped (delivery);
  GString *json = g_string_new ("{\n");
  Counts total;

  count_all (job, &total);
  g_string_append_printf (json,
      "  \"verdict\": \"%s\",\n  \"method\": \"%s\",\n"
      "  \"interface\": \"%s\",\n  \"checksums\": \"%s\",\n",
      verdicts[rtpgen_report_judge (job, run, delivery)],
      live ? "live" : "socket", job->interface->name,
      live || !job->interface->leaves_checksums ? "complete" : "partial");
  for (guint i = 0; i < G_N_ELEMENTS (count_fields); i++)
    append_integer (json, count_fields[i].name, get_count (&total, i));
  append_integer (json, "dropped", dropped);
  append_integer (
      json, "delivered", total.packets - MIN (dropped, total.packets));
  append_integer (json, "dropped-ring-full", delivery->ring_full);
  append_integer (json, "dropped-no-receiver", delivery->no_receiver);
  append_integer (json, "dropped-refused", delivery->refused);
  append_integer (json, "dropped-vanished", delivery->vanished);
  append_integer (json, "asked-packets", job->plan.turns);
  append_integer (json, "asked-rate", job->plan.rate);
  append_double (json, "rate", get_rate (job, run));
  append_double (json, "elapsed", get_elapsed (job, run));
  append_double (json, "late-max", run->late_max_ns / NS);
  append_integer (json, "start-ns", run->start_ns);
  append_integer (json, "last-ns", run->last_ns);
  append_integer (json, "calls", run->calls);
  g_string_append (json, "  \"flows\": [\n");
  for (guint flow = 0; flow < job->plan.flows; flow++)
    append_flow (json, job, flow);
  g_string_append (json, "  ]\n}\n");
  return g_string_free (json, FALSE);
}
