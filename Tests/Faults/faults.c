// Lets calls of the C library fail in one process, or kills the process at one of them.
//
// Load it with LD_PRELOAD. It counts the calls that concern files below FAULT_FOLDER, the changes
// or, with FAULT_KIND=reads, the reads, and acts at the call of number FAULT_STEP, from 1:
//
//   FAULT_ACTION   kill: ends the process by SIGKILL before the call
//                  tear: writes half of the bytes first; other calls as kill
//                  stop: stops the process by SIGSTOP before the call, which SIGCONT lets it make
//                  a number: the call fails with this errno
//   FAULT_NAME     if set, only calls that concern paths which end so count
//   FAULT_LASTING  if set, later calls that need space fail as well, as on a full disk
//   FAULT_EVERY    if set, every write is a step; else one that follows another write to the same file
//                  belongs to its step
//   FAULT_LOG      a file outside the folder that gets a line per step: R for a read, C for a change or
//                  G for one that needs space; the name of the call, and the path in the folder
//   FAULT_CLOCK    seconds by which the clock of the calendar is wrong at every second call
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *folder, *action, *name;
static long target, clock_error;
static int lasting, counts_reads, counts_every, log_file = -1;
static atomic_long readings;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static long step;
static char last[PATH_MAX + 32];

static void prepare(void) {
  folder = getenv("FAULT_FOLDER");
  action = getenv("FAULT_ACTION");
  name = getenv("FAULT_NAME");
  lasting = getenv("FAULT_LASTING") != NULL;
  const char *text = getenv("FAULT_STEP");
  target = text ? atol(text) : 0;
  text = getenv("FAULT_CLOCK");
  clock_error = text ? atol(text) : 0;
  text = getenv("FAULT_KIND");
  counts_reads = text && !strcmp(text, "reads");
  counts_every = getenv("FAULT_EVERY") != NULL;
  text = getenv("FAULT_LOG");
  if (text) log_file = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

enum kind { READ, CHANGE, GROWTH };

// Whether the call must not be made; errno is set then.
static int refused(enum kind kind, const char *call, const char *path, int *tears) {
  int saved = errno;
  size_t length = strlen(folder);
  int is_inside = !strncmp(path, folder, length) && (path[length] == '/' || path[length] == 0);
  if (!is_inside || counts_reads != (kind == READ)) return 0;
  if (name && (strlen(path) < strlen(name) || strcmp(path + strlen(path) - strlen(name), name))) return 0;
  char line[PATH_MAX + 32];
  int count = snprintf(line, sizeof line, "%c %s %s\n", "RCG"[kind], call, path + length);
  pthread_mutex_lock(&counting);
  int is_new = counts_every || !strstr(call, "write") || strcmp(line, last);
  if (is_new) {
    step++;
    memcpy(last, line, sizeof line);
    if (log_file >= 0 && count > 0) syscall(SYS_write, log_file, line, (size_t)count);
  }
  long number = step;
  pthread_mutex_unlock(&counting);
  errno = saved;
  if (!target || !action || number < target) return 0;
  if ((number > target || !is_new) && !(lasting && kind == GROWTH)) return 0;
  int code = atoi(action);
  if (code) {
    errno = code;
    return 1;
  }
  if (tears && !strcmp(action, "tear")) {
    *tears = 1;
    return 0;
  }
  if (!strcmp(action, "stop")) {
    syscall(SYS_kill, getpid(), SIGSTOP);
    return 0;
  }
  die();
  return 1;
}

static int resolve(int at, const char *path, char *full) {
  pthread_once(&once, prepare);
  if (!folder || !path) return 0;
  if (path[0] == '/') return snprintf(full, PATH_MAX, "%s", path) > 0;
  char link[64], base[PATH_MAX];
  snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
  ssize_t count = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
  if (count <= 0) return 0;
  base[count] = 0;
  if (!*path) return snprintf(full, PATH_MAX, "%s", base) < PATH_MAX;
  while (path[0] == '.' && path[1] == '/') path += 2;
  return snprintf(full, PATH_MAX, "%s/%s", base, path) < PATH_MAX;
}

static int refused_at(enum kind kind, const char *call, int at, const char *path) {
  char full[PATH_MAX];
  int saved = errno;
  if (resolve(at, path, full)) return refused(kind, call, full, NULL);
  errno = saved;
  return 0;
}

static int refused_file(enum kind kind, const char *call, int file, int *tears) {
  char full[PATH_MAX];
  int saved = errno;
  if (file > 2 && file != log_file && resolve(file, "", full)) return refused(kind, call, full, tears);
  errno = saved;
  return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(name, ...)                                \
  ({                                                   \
    static __typeof__(&name) real;                     \
    if (!real) real = REAL(name);                      \
    real(__VA_ARGS__);                                 \
  })

static enum kind kind_of(int flags) {
  if (flags & (O_CREAT | O_TRUNC)) return GROWTH;
  return (flags & O_ACCMODE) == O_RDONLY ? READ : CHANGE;
}

#define MODE(flags)                                    \
  mode_t mode = 0;                                     \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {             \
    va_list list;                                      \
    va_start(list, flags);                             \
    mode = va_arg(list, mode_t);                       \
    va_end(list);                                      \
  }

#define OPEN(name)                                                        \
  int name(const char *path, int flags, ...) {                            \
    MODE(flags)                                                           \
    if (refused_at(kind_of(flags), "open", AT_FDCWD, path)) return -1;    \
    return CALL(name, path, flags, mode);                                 \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                      \
  int name(int at, const char *path, int flags, ...) {                    \
    MODE(flags)                                                           \
    if (refused_at(kind_of(flags), "open", at, path)) return -1;          \
    return CALL(name, at, path, flags, mode);                             \
  }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                       \
  FILE *name(const char *path, const char *mode) {                        \
    enum kind kind = mode[0] == 'r' && !strchr(mode, '+') ? READ : GROWTH; \
    if (refused_at(kind, "open", AT_FDCWD, path)) return NULL;            \
    return CALL(name, path, mode);                                        \
  }
FOPEN(fopen)
FOPEN(fopen64)

DIR *opendir(const char *path) {
  if (refused_at(READ, "list", AT_FDCWD, path)) return NULL;
  return CALL(opendir, path);
}

#define ON_PATHS(type, name, kind, parameters, at, path, ...)             \
  type name parameters {                                                  \
    if (refused_at(kind, #name, at, path)) return -1;                     \
    return CALL(name, __VA_ARGS__);                                       \
  }
ON_PATHS(int, mkdir, GROWTH, (const char *a, mode_t m), AT_FDCWD, a, a, m)
ON_PATHS(int, mkdirat, GROWTH, (int d, const char *a, mode_t m), d, a, d, a, m)
ON_PATHS(int, rmdir, CHANGE, (const char *a), AT_FDCWD, a, a)
ON_PATHS(int, unlink, CHANGE, (const char *a), AT_FDCWD, a, a)
ON_PATHS(int, unlinkat, CHANGE, (int d, const char *a, int f), d, a, d, a, f)
ON_PATHS(int, remove, CHANGE, (const char *a), AT_FDCWD, a, a)
ON_PATHS(int, rename, CHANGE, (const char *a, const char *b), AT_FDCWD, b, a, b)
ON_PATHS(int, renameat, CHANGE, (int d, const char *a, int e, const char *b), e, b, d, a, e, b)
ON_PATHS(int, renameat2, CHANGE, (int d, const char *a, int e, const char *b, unsigned f), e, b, d, a, e, b, f)
ON_PATHS(int, link, GROWTH, (const char *a, const char *b), AT_FDCWD, b, a, b)
ON_PATHS(int, linkat, GROWTH, (int d, const char *a, int e, const char *b, int f), e, b, d, a, e, b, f)
ON_PATHS(int, symlink, GROWTH, (const char *a, const char *b), AT_FDCWD, b, a, b)
ON_PATHS(int, symlinkat, GROWTH, (const char *a, int d, const char *b), d, b, a, d, b)

#define ON_FILE(type, name, kind, parameters, file, ...)                  \
  type name parameters {                                                  \
    if (refused_file(kind, #name, file, NULL)) return -1;                 \
    return CALL(name, __VA_ARGS__);                                       \
  }
ON_FILE(int, fsync, CHANGE, (int f), f, f)
ON_FILE(int, fdatasync, CHANGE, (int f), f, f)
ON_FILE(int, ftruncate, GROWTH, (int f, off_t n), f, f, n)
ON_FILE(int, ftruncate64, GROWTH, (int f, off64_t n), f, f, n)
ON_FILE(ssize_t, writev, GROWTH, (int f, const struct iovec *v, int n), f, f, v, n)
ON_FILE(ssize_t, read, READ, (int f, void *b, size_t n), f, f, b, n)
ON_FILE(ssize_t, pread, READ, (int f, void *b, size_t n, off_t o), f, f, b, n, o)
ON_FILE(ssize_t, pread64, READ, (int f, void *b, size_t n, off64_t o), f, f, b, n, o)
ON_FILE(ssize_t, copy_file_range, GROWTH, (int i, off64_t *a, int o, off64_t *b, size_t n, unsigned f), o, i, a, o, b, n, f)
ON_FILE(ssize_t, sendfile, GROWTH, (int o, int i, off_t *a, size_t n), o, o, i, a, n)
ON_FILE(ssize_t, sendfile64, GROWTH, (int o, int i, off64_t *a, size_t n), o, o, i, a, n)

int posix_fallocate(int file, off_t offset, off_t length) {
  if (refused_file(GROWTH, "posix_fallocate", file, NULL)) return errno;
  return CALL(posix_fallocate, file, offset, length);
}

#define WRITE(name, parameters, arguments, half)                          \
  ssize_t name parameters {                                               \
    int tears = 0;                                                        \
    if (refused_file(GROWTH, #name, file, &tears)) return -1;             \
    if (!tears) return CALL(name, arguments);                             \
    CALL(name, half);                                                     \
    die();                                                                \
    return -1;                                                            \
  }
#define LIST(...) __VA_ARGS__
WRITE(write, (int file, const void *bytes, size_t count), LIST(file, bytes, count), LIST(file, bytes, count / 2))
WRITE(pwrite, (int file, const void *bytes, size_t count, off_t at), LIST(file, bytes, count, at), LIST(file, bytes, count / 2, at))
WRITE(pwrite64, (int file, const void *bytes, size_t count, off64_t at), LIST(file, bytes, count, at), LIST(file, bytes, count / 2, at))

#define MAP(name, offset)                                                 \
  void *name(void *at, size_t count, int protection, int flags, int file, offset from) { \
    if (file > 2 && !(protection & PROT_EXEC) && refused_file(READ, "map", file, NULL)) return MAP_FAILED; \
    return (void *)syscall(SYS_mmap, at, count, protection, flags, file, from); \
  }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

// Every second reading of the calendar's clock is wrong by FAULT_CLOCK seconds.
static long error_now(void) {
  pthread_once(&once, prepare);
  return clock_error && readings++ % 2 ? clock_error : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME && !result) now->tv_sec += error_now();
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = syscall(SYS_gettimeofday, now, zone);
  if (!result) now->tv_sec += error_now();
  return result;
}

time_t time(time_t *place) {
  time_t now = syscall(SYS_time, NULL) + error_now();
  if (place) *place = now;
  return now;
}
