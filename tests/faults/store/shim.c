/* LD_PRELOAD: writes down every change of the files under SHIM_DIR, and makes some of them fail to order.
 *
 * Record in SHIM_LOG: op (1 byte), length of name (2), offset (8), length of data (4), all little endian, then name and data.
 * Name: relative to SHIM_DIR; of a rename both, with a newline between. Orders come by the functions shim_* (ctypes).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILES 1024
#define READY() do { if (!real_open) begin(); } while (0)
static char *names[FILES];
static const char *folder;
static int out = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long fsyncs, fail_at, room = -1;
static int sticky, delay_ms;
static char only[64];

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_close)(int);
static int (*real_ftruncate)(int, off64_t), (*real_unlink)(const char *), (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void begin(void)
{
    if (real_open) return;  /* another library may have opened a file before our turn */
    real_open = dlsym(RTLD_NEXT, "open64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_close = dlsym(RTLD_NEXT, "close");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    folder = getenv("SHIM_DIR");
    const char *log = getenv("SHIM_LOG");
    if (log) out = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* fsync fails from the k-th call on the file ending in `suffix` (counted from now), once or for ever; 0: never */
void shim_fail_fsync(long k, int for_ever, const char *suffix)
{
    fsyncs = 0; fail_at = k; sticky = for_ever;
    snprintf(only, sizeof only, "%s", suffix);
}
long shim_fsyncs(void) { return fsyncs; }
void shim_room(long bytes) { room = bytes; }
void shim_delay(int ms) { delay_ms = ms; }

static const char *inside(const char *path)
{
    size_t n = folder ? strlen(folder) : 0;
    return n && strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

static void note(char op, const char *name, uint64_t offset, const void *data, uint32_t size)
{
    if (out < 0) return;
    uint16_t length = (uint16_t)strlen(name);
    size_t total = 15 + length + size;
    unsigned char *record = malloc(total);
    record[0] = (unsigned char)op;
    memcpy(record + 1, &length, 2);
    memcpy(record + 3, &offset, 8);
    memcpy(record + 11, &size, 4);
    memcpy(record + 15, name, length);
    if (size) memcpy(record + 15 + length, data, size);
    real_write(out, record, total);
    free(record);
}

static int opened(const char *path, int flags, int mode)
{
    READY();
    const char *name = inside(path);
    pthread_mutex_lock(&lock);
    int there = name && access(path, F_OK) == 0;
    int fd = real_open(path, flags, mode);
    int error = errno;
    if (fd >= 0 && fd < FILES) {
        free(names[fd]);
        names[fd] = name ? strdup(name) : NULL;
        if (name && !there && (flags & O_CREAT)) note('C', name, 0, NULL, 0);
        if (name && there && (flags & O_TRUNC)) note('T', name, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);
    return opened(path, flags, mode);
}
int open(const char *path, int flags, ...)
{
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);
    return opened(path, flags, mode);
}

int close(int fd)
{
    READY();
    if (name_of(fd)) { pthread_mutex_lock(&lock); free(names[fd]); names[fd] = NULL; pthread_mutex_unlock(&lock); }
    return real_close(fd);
}

static ssize_t written(int fd, const void *data, size_t size, off64_t offset, int positioned)
{
    READY();
    const char *name = name_of(fd);
    if (!name) return positioned ? real_pwrite(fd, data, size, offset) : real_write(fd, data, size);
    pthread_mutex_lock(&lock);
    if (room >= 0) {
        if ((long)size > room) { room = 0; pthread_mutex_unlock(&lock); errno = ENOSPC; return -1; }
        room -= (long)size;
    }
    if (!positioned) offset = fcntl(fd, F_GETFL) & O_APPEND ? lseek64(fd, 0, SEEK_END) : lseek64(fd, 0, SEEK_CUR);
    ssize_t n = positioned ? real_pwrite(fd, data, size, offset) : real_write(fd, data, size);
    int error = errno;
    if (n > 0) note('W', name, (uint64_t)offset, data, (uint32_t)n);
    pthread_mutex_unlock(&lock);
    errno = error;
    return n;
}
ssize_t write(int fd, const void *data, size_t size) { return written(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return written(fd, data, size, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return written(fd, data, size, at, 1); }

static int cut(int fd, off64_t size)
{
    READY();
    const char *name = name_of(fd);
    pthread_mutex_lock(&lock);
    int result = real_ftruncate(fd, size);
    int error = errno;
    if (name && result == 0) note('T', name, (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }

static int synced(int fd, int (*real)(int))
{
    const char *name = name_of(fd);
    if (!name) return real(fd);
    size_t n = strlen(name), m = strlen(only);
    if (fail_at && n >= m && strcmp(name + n - m, only) == 0) {
        fsyncs++;
        if (fsyncs == fail_at || (sticky && fsyncs > fail_at)) { errno = EIO; return -1; }
    }
    if (delay_ms) { struct timespec t = { delay_ms / 1000, (delay_ms % 1000) * 1000000L }; nanosleep(&t, NULL); }
    pthread_mutex_lock(&lock);
    int result = real(fd);
    int error = errno;
    if (result == 0) note('S', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int fsync(int fd) { READY(); return synced(fd, real_fsync); }
int fdatasync(int fd) { READY(); return synced(fd, real_fdatasync); }

int unlink(const char *path)
{
    READY();
    const char *name = inside(path);
    pthread_mutex_lock(&lock);
    int result = real_unlink(path);
    int error = errno;
    if (name && result == 0) note('U', name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *old, const char *fresh)
{
    READY();
    const char *from = inside(old), *to = inside(fresh);
    pthread_mutex_lock(&lock);
    int result = real_rename(old, fresh);
    int error = errno;
    if (from && to && result == 0) {
        char both[512];
        snprintf(both, sizeof both, "%s\n%s", from, to);
        note('R', both, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
