/* main.c - runs a bundle: probes, then cases in the order of their list. A child process does the work, since a kernel
 * that goes wrong may take the driver with it, or hang; the parent notes the loss and a new child goes on behind it. */
#define _GNU_SOURCE
#include "gpu_check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_NO_GPU = 3, EXIT_USAGE = 2, CHILD_LOST = 70, CHILD_NO_GPU = 71 };

static const char usage[] =
    "usage: gpu-check-run BUNDLE [--out FILE] [--seconds N] [--only probe|check|time] [--hang N]\n"
    "Runs the probes, checks and timings of a bundle on this machine's first NVIDIA GPU; writes a JSON object a line.\n"
    "  --out FILE    where the lines go (default: standard output); a file is appended to\n"
    "  --seconds N   begins nothing after this time, of which a quarter is for timings (default: 420)\n"
    "  --hang N      gives up what has not ended after this time, and goes on with the next (default: 60)\n"
    "Exit codes: 0 all passed, 1 something failed, 2 usage, 3 no GPU that can be used.\n";

typedef struct item {
  char kind; /* 'p', 'c' */
  char line[256];
} item;

typedef struct options {
  const char *bundle, *out, *only;
  double seconds, hang;
} options;

/* Between parent and child. */
typedef struct shared {
  _Atomic int next, passed, failed, skipped;
  _Atomic int described;
} shared;

static item *items;
static int n_items;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void read_list(const char *bundle, const char *folder, char kind) {
  char path[1024], line[256];
  snprintf(path, sizeof path, "%s/%s/list.txt", bundle, folder);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\r\n")] = 0;
    if (!*line || *line == '#')
      continue;
    item *more = realloc(items, (size_t)(n_items + 1) * sizeof *items);
    if (!more)
      break;
    items = more;
    items[n_items].kind = kind;
    snprintf(items[n_items++].line, sizeof items->line, "%s", line);
  }
  if (f)
    fclose(f);
}

static const char *part_of(const item *i) {
  return i->kind == 'p' ? "probe" : !strncmp(i->line, "time-", 5) ? "time" : "check";
}

/* In the child: every item from s->next on. */
static int work(const options *o, shared *s, double started) {
  char why[512];
  if (!device_open(why, sizeof why)) {
    json_begin("machine", NULL);
    json_flag("gpu", 0);
    json_text("what", why);
    json_end();
    fprintf(stderr, "gpu-check: there is no GPU to check: %s\n", why);
    return CHILD_NO_GPU;
  }
  if (!s->described) {
    device_describe();
    s->described = 1;
  }
  for (; s->next < n_items; ++s->next) {
    const item *i = &items[s->next];
    if (o->only && strcmp(o->only, part_of(i)) != 0)
      continue;
    const double share = o->only || part_of(i)[0] == 't' ? 1 : 0.75; /* the rest is for the timings behind */
    if (now() - started > share * o->seconds) {
      ++s->skipped;
      continue;
    }
    const int outcome = i->kind == 'p' ? run_probe(o->bundle, i->line) : run_case(o->bundle, i->line);
    if (outcome == OUTCOME_PASSED)
      ++s->passed;
    else
      ++s->failed;
    if (outcome == OUTCOME_LOST) {
      ++s->next;
      return CHILD_LOST;
    }
  }
  return 0;
}

/* Waits for a child; kills it when one item takes too long. */
static int wait_for(pid_t child, const shared *s, double seconds, int *hung) {
  int status = 0, seen = s->next;
  double since = now();
  *hung = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (s->next != seen) {
      seen = s->next;
      since = now();
    }
    if (now() - since > seconds && !*hung) {
      *hung = 1;
      kill(child, SIGKILL);
    }
    const struct timespec pause = {0, 20 * 1000 * 1000};
    nanosleep(&pause, NULL);
  }
  return status;
}

static void note_loss(shared *s, const options *o, int hung, int signal) {
  const item *i = &items[s->next < n_items ? s->next : n_items - 1];
  char what[64], name[256];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(i->line, " "), i->line);
  if (hung)
    snprintf(what, sizeof what, "no end within %g s", o->hang);
  else
    snprintf(what, sizeof what, "the process was killed by signal %d", signal);
  json_begin(part_of(i), name);
  json_flag("ok", 0);
  json_text("what", what);
  json_end();
  ++s->failed;
  ++s->next;
}

static int parse(int argc, char **argv, options *o) {
  *o = (options){.seconds = 420, .hang = 60};
  for (int n = 1; n < argc; ++n) {
    const char *value = n + 1 < argc ? argv[n + 1] : NULL;
    if (!strcmp(argv[n], "--help"))
      return 0;
    if (argv[n][0] != '-') {
      if (o->bundle)
        return 0;
      o->bundle = argv[n];
      continue;
    }
    if (!value)
      return 0;
    ++n;
    if (!strcmp(argv[n - 1], "--out"))
      o->out = value;
    else if (!strcmp(argv[n - 1], "--seconds"))
      o->seconds = strtod(value, NULL);
    else if (!strcmp(argv[n - 1], "--hang"))
      o->hang = strtod(value, NULL);
    else if (!strcmp(argv[n - 1], "--only"))
      o->only = value;
    else
      return 0;
  }
  return o->bundle && (!o->only || !strcmp(o->only, "probe") || !strcmp(o->only, "check") || !strcmp(o->only, "time"));
}

int main(int argc, char **argv) {
  const double started = now();
  options o;
  if (!parse(argc, argv, &o)) {
    fputs(usage, stderr);
    return EXIT_USAGE;
  }
  read_list(o.bundle, "probes", 'p');
  read_list(o.bundle, "cases", 'c');
  if (!n_items) {
    fprintf(stderr, "gpu-check: %s is no bundle: it has neither probes nor cases\n", o.bundle);
    return EXIT_USAGE;
  }
  shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (s == MAP_FAILED || !json_open(o.out)) {
    fprintf(stderr, "gpu-check: %s cannot be written\n", o.out ? o.out : "a page");
    return EXIT_USAGE;
  }
  for (;;) {
    const pid_t child = fork();
    if (!child)
      _exit(work(&o, s, started));
    int hung;
    const int status = child < 0 ? -1 : wait_for(child, s, o.hang, &hung);
    if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NO_GPU)) {
      if (s->described || child < 0) /* it was there before */
        ++s->failed;
      else
        return EXIT_NO_GPU;
      break;
    }
    if (WIFSIGNALED(status))
      note_loss(s, &o, hung, WTERMSIG(status));
    else if (WEXITSTATUS(status) != CHILD_LOST)
      break;
    if (s->next >= n_items)
      break;
  }
  json_begin("end", NULL);
  json_number("passed", s->passed);
  json_number("failed", s->failed);
  json_number("skipped", s->skipped);
  json_number("seconds", now() - started);
  json_end();
  fprintf(stderr, "%d passed, %d failed, %d skipped for lack of time\n", s->passed, s->failed, s->skipped);
  return s->failed != 0;
}
