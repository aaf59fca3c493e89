/* A disk that fails on demand and remembers what it was told, for files under FAULTS_ROOT.
 *
 * While the file FAULTS_CONTROL/eio exists, fsync and fdatasync say EIO, while FAULTS_CONTROL/eio-NAME does, those of
 * files of this name do; while FAULTS_CONTROL/full exists, what would make a file longer says ENOSPC. With FAULTS_JOURNAL every write, truncation, sync and change of a name is appended to
 * that file, one after the other (a lock is held over both): from it a test rebuilds what a power cut would leave.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE, SYNC, SYNC_FAILED, CREATE, RENAME, UNLINK, MKDIR, LINK };

struct head {
    uint32_t op, name, data;
    uint64_t offset;
} __attribute__((packed));

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static const char *control;
static int journal = -1;

#define REAL(name) ((__typeof__(name) *)real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void start(void) {
    const char *asked = getenv("FAULTS_ROOT"), *file = getenv("FAULTS_JOURNAL");
    control = getenv("FAULTS_CONTROL");
    if (asked != NULL) snprintf(root, sizeof root, "%s/", asked);
    if (file != NULL) journal = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) {
    size_t length = strlen(root);
    if (length == 0) return 0;
    if (strncmp(path, root, length - 1) != 0 || (path[length - 1] != '/' && path[length - 1] != 0)) return 0;
    size_t end = strlen(path); /* SQLite's shared memory is no file that anybody relies on */
    return end < 4 || strcmp(path + end - 4, "-shm") != 0;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return ours(path);
}

static int flagged(const char *flag) {
    char path[PATH_MAX];
    if (control == NULL) return 0;
    snprintf(path, sizeof path, "%s/%s", control, flag);
    return access(path, F_OK) == 0;
}

static void record(uint32_t op, const char *path, uint64_t offset, const void *data, size_t length) {
    if (journal < 0) return;
    struct head head = {op, (uint32_t)strlen(path), (uint32_t)length, offset};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.name}, {(void *)data, length}};
    if (REAL(writev)(journal, parts, 3) < 0) abort();
}

static int too_long(int fd, off_t end) {
    struct stat about;
    return flagged("full") && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && end > about.st_size;
}

static ssize_t kept(int fd, const void *data, size_t length, off_t offset, const char *path) {
    if (too_long(fd, offset + (off_t)length)) {
        errno = ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&turn);
    ssize_t done = REAL(pwrite64)(fd, data, length, offset);
    if (done > 0) record(WRITE, path, (uint64_t)offset, data, (size_t)done);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return REAL(pwrite64)(fd, data, length, offset);
    return kept(fd, data, length, offset, path);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return REAL(write)(fd, data, length);
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = kept(fd, data, length, offset, path);
    if (done > 0) lseek(fd, offset + done, SEEK_SET);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return REAL(ftruncate64)(fd, length);
    pthread_mutex_lock(&turn);
    int done = REAL(ftruncate64)(fd, length);
    if (done == 0) record(TRUNCATE, path, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int fails(const char *path) {
    char flag[NAME_MAX + 8];
    const char *slash = strrchr(path, '/');
    snprintf(flag, sizeof flag, "eio-%.*s", NAME_MAX, slash == NULL ? path : slash + 1);
    return flagged("eio") || flagged(flag);
}

static int synced(int fd, int (*sync)(int)) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return sync(fd);
    pthread_mutex_lock(&turn);
    int failed = fails(path), done = failed ? -1 : sync(fd);
    record(failed ? SYNC_FAILED : SYNC, path, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    if (failed) errno = EIO;
    return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int opened(const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC))) return REAL(open64)(path, flags, mode);
    pthread_mutex_lock(&turn);
    int before = access(path, F_OK) == 0, fd = REAL(open64)(path, flags, mode);
    if (fd >= 0 && path_of(fd, full)) {
        if (!before) record(CREATE, full, 0, NULL, 0);
        else if (flags & O_TRUNC) record(TRUNCATE, full, 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    return fd;
}

#define MODE(last) va_list rest; va_start(rest, last); mode_t mode = va_arg(rest, mode_t); va_end(rest)
int open64(const char *path, int flags, ...) { MODE(flags); return opened(path, flags, mode); }
int open(const char *path, int flags, ...) { MODE(flags); return opened(path, flags, mode); }

int rename(const char *from, const char *to) {
    char a[PATH_MAX], b[PATH_MAX];
    pthread_mutex_lock(&turn);
    int known = realpath(from, a) != NULL && ours(a), done = REAL(rename)(from, to);
    if (known && done == 0 && realpath(to, b) != NULL) record(RENAME, a, 0, b, strlen(b));
    pthread_mutex_unlock(&turn);
    return done;
}

int link(const char *from, const char *to) {
    char a[PATH_MAX], b[PATH_MAX];
    pthread_mutex_lock(&turn);
    int known = realpath(from, a) != NULL && ours(a), done = REAL(link)(from, to);
    if (known && done == 0 && realpath(to, b) != NULL) record(LINK, a, 0, b, strlen(b));
    pthread_mutex_unlock(&turn);
    return done;
}

int unlink(const char *path) {
    char full[PATH_MAX];
    pthread_mutex_lock(&turn);
    int known = realpath(path, full) != NULL && ours(full), done = REAL(unlink)(path);
    if (known && done == 0) record(UNLINK, full, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int mkdir(const char *path, mode_t mode) {
    char full[PATH_MAX];
    pthread_mutex_lock(&turn);
    int done = REAL(mkdir)(path, mode);
    if (done == 0 && realpath(path, full) != NULL && ours(full)) record(MKDIR, full, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}
