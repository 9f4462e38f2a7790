/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of tests. Each test is written as a function's body behind TEST() or
 * one of its kin; that also adds it to the program, in the order of the file, which
 * is the only one with tests. SUITE() at the end of it is the program's main().
 */
#pragma once

#include <gst/check/gstcheck.h>

G_BEGIN_DECLS

typedef void (*SuiteFunc) (void);

/* A test, or a fixture for those below it; private to the macros. */
typedef struct
{
  guint line;
  void (*add) (TCase *tcase); /* NULL: a fixture */
  SuiteFunc set_up, tear_down;
} SuiteEntry;

/* Called at the end of each test's body, before streaming threads must be gone; NULL:
 * nothing. */
extern SuiteFunc suite_end;

/* The name of the test that runs; NULL: in a fixture. */
extern const gchar *suite_test;

void suite_add (const SuiteEntry *entry);

/* Ends this test, which proves nothing since the machine did not keep up, with the
 * figures in words; or which cannot be run here. Where no other test fails, the program
 * then ends with 77 and a line with the names of such tests and their reasons. */
void suite_skip (const gchar *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

/* Runs all tests, each of which may take so many seconds; 0: as many as gst-check
 * has it. set_up and tear_down, or NULL, are called before and after each, in the
 * test's own process. What main() returns. */
int suite_run (int argc, char **argv, const gchar *name, guint seconds,
    SuiteFunc set_up, SuiteFunc tear_down);

#define SUITE_ENTRY_(id, ...)                                          \
  static void __attribute__ ((constructor)) id##_register (void)       \
  {                                                                    \
    static const SuiteEntry entry = { .line = __LINE__, __VA_ARGS__ }; \
                                                                       \
    suite_add (&entry);                                                \
  }

#define SUITE_TEST_(name, add_it)        \
  static void name##_body (gint __i__);  \
  GST_START_TEST (name)                  \
  {                                      \
    suite_test = #name;                  \
    name##_body (__i__);                 \
    if (suite_end)                       \
      suite_end ();                      \
  }                                      \
  GST_END_TEST                           \
  static void name##_add (TCase *tcase)  \
  {                                      \
    add_it;                              \
  }                                      \
  SUITE_ENTRY_ (name, .add = name##_add) \
  static void name##_body (G_GNUC_UNUSED gint __i__)

#define TEST(name) SUITE_TEST_ (name, tcase_add_test (tcase, name))
/* A test for each __i__ from 0 to n - 1. n is evaluated in suite_run(); 0: none. */
#define LOOP_TEST(name, n) \
  SUITE_TEST_ (name, tcase_add_loop_test (tcase, name, 0, n))
/* A test for each row of a table. */
#define TABLE_TEST(name, table) LOOP_TEST (name, G_N_ELEMENTS (table))
/* A test that a signal must end, and so none where tests share a process. */
#define SIGNAL_TEST(name, signal)                 \
  SUITE_TEST_ (name,                              \
      if (g_strcmp0 (g_getenv ("CK_FORK"), "no")) \
          tcase_add_test_raise_signal (tcase, name, signal))

/* For the tests below it, instead of what suite_run() was told. */
#define FIXTURE(set_up_, tear_down_) \
  SUITE_ENTRY_ (set_up_, .set_up = set_up_, .tear_down = tear_down_)

#define SUITE(name, seconds, set_up, tear_down)                      \
  int main (int argc, char **argv)                                   \
  {                                                                  \
    return suite_run (argc, argv, name, seconds, set_up, tear_down); \
  }

/* Runs n scripts of random bytes, of shortest to longest - 1: those of the seed that is
 * seed behind the one that variable of the environment has, or behind 1. */
void suite_run_scripts (const gchar *variable, guint seed, guint n,
    guint shortest, guint longest,
    void (*run) (const guint8 *bytes, gsize size));

G_END_DECLS
