/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtpgen on the sending host. */
#include "generator.h"

#include <gio/gio.h>
#include <gst/check/gstcheck.h>
#include <signal.h>
#include <sys/prctl.h>

#include "network.h"

/* rtpgen's exit status: some dropped, and not fast enough. */
#define DROPPED 1
#define SLOW 3
/* Of how many packets the wire may lose one. */
#define TOLERANCE 1000

struct _Generator
{
  GSubprocess *process;
};

/* The sending host would live as long as it does. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

Generator *
generator_start (const gchar *format, ...)
{
  Generator *generator = g_new0 (Generator, 1);
  g_autofree gchar *net = g_strconcat ("--net=", network_sender (), NULL);
  g_autofree gchar *options = NULL;
  g_auto (GStrv) more = NULL;
  g_autoptr (GPtrArray) line = g_ptr_array_new ();
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  options = g_strdup_vprintf (format, args);
  va_end (args);
  more = g_strsplit (options, " ", -1);
  g_ptr_array_add (line, (gpointer) "nsenter");
  g_ptr_array_add (line, net);
  g_ptr_array_add (line, (gpointer) g_getenv ("RTPGEN"));
  g_ptr_array_add (line, (gpointer) "--interface=tx0");
  g_ptr_array_add (line, (gpointer) "--cpu=0");
  g_ptr_array_add (line, (gpointer) "--json");
  if (!strstr (options, "--destination="))
    g_ptr_array_add (line, (gpointer) "--destination=239.1.1.1:5000");
  for (guint i = 0; more[i]; i++)
    if (*more[i])
      g_ptr_array_add (line, more[i]);
  g_ptr_array_add (line, NULL);
  fail_unless (g_getenv ("RTPGEN"), "RTPGEN must name the generator");
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  generator->process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *) line->pdata, &error);
  fail_unless (generator->process, "%s", error ? error->message : "");
  return generator;
}

/* The first number that the report gives as name: the one of all flows. */
static guint64
number (const gchar *report, const gchar *name)
{
  g_autofree gchar *key = g_strdup_printf ("\"%s\": ", name);
  const gchar *at = strstr (report, key);

  fail_unless (at, "no %s in the generator's report: %s", name, report);
  return g_ascii_strtoull (at + strlen (key), NULL, 10);
}

static gdouble
real_number (const gchar *report, const gchar *name)
{
  g_autofree gchar *key = g_strdup_printf ("\"%s\": ", name);
  const gchar *at = strstr (report, key);

  return at ? g_ascii_strtod (at + strlen (key), NULL) : 0;
}

/* What the report says of each flow: its own number of packets is the first
 * thing of that name behind the flow's destination. */
static void
read_flows (const gchar *report, GeneratorReport *numbers)
{
  const gchar *at = strstr (report, "\"flows\": [");

  fail_unless (at, "no flows in the generator's report: %s", report);
  while ((at = strstr (at, "{ \"destination\": "))) {
    fail_unless (numbers->n_flows < GENERATOR_FLOWS);
    at++;
    numbers->sent[numbers->n_flows++] = number (at, "packets");
  }
}

/* s, of all that have ended in this test, which is a process. */
static gdouble latest;

void
generator_excuse (void)
{
  if (latest > GENERATOR_STEADY)
    suite_skip ("the generator sent up to %.0f ms too late", latest * 1e3);
}

/* Of one_of packets the wire may lose one; 0: any number. */
static GeneratorReport
finish (Generator *generator, guint64 one_of)
{
  GeneratorReport numbers;
  g_autofree gchar *report = NULL;
  g_autofree gchar *complaints = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  fail_unless (g_subprocess_communicate_utf8 (generator->process, NULL, NULL,
                   &report, &complaints, &error),
      "%s", error ? error->message : "");
  status = g_subprocess_get_exit_status (generator->process);
  fail_unless (!status || status == SLOW || status == DROPPED,
      "the generator ended with %d: %s", status, complaints);
  numbers = (GeneratorReport){
    .packets = number (report, "delivered"),
    .dropped = number (report, "dropped"),
    .missing = number (report, "missing"),
    .duplicates = number (report, "duplicates"),
    .reordered = number (report, "reordered"),
    .markers = number (report, "markers"),
    .silent = number (report, "silent"),
    .late = real_number (report, "late-max"),
  };
  read_flows (report, &numbers);
  latest = MAX (latest, numbers.late);
  if (one_of && numbers.dropped > numbers.packets / one_of)
    suite_skip ("the wire lost too much: %s", g_strchomp (complaints));
  g_object_unref (generator->process);
  g_free (generator);
  return numbers;
}

GeneratorReport
generator_finish (Generator *generator)
{
  return finish (generator, TOLERANCE);
}

GeneratorReport
generator_finish_exact (Generator *generator)
{
  return finish (generator, G_MAXUINT64);
}

GeneratorReport
generator_stop (Generator *generator)
{
  g_subprocess_send_signal (generator->process, SIGINT);
  return generator_finish (generator);
}

GeneratorReport
generator_stop_lossy (Generator *generator)
{
  g_subprocess_send_signal (generator->process, SIGINT);
  return generator_finish_lossy (generator);
}

GeneratorReport
generator_finish_lossy (Generator *generator)
{
  return finish (generator, 0);
}
