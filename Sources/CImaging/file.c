#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cimaging.h"

imaging_file_status imaging_file_open(const char *path, imaging_file *file) {
    file->descriptor = -1;
    file->size = 0;
    file->code = 0;
    // Without O_NONBLOCK, opening a named pipe waits for a writer that may never come.
    int descriptor;
    do {
        descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        file->code = errno;
        return IMAGING_FILE_ERRNO;
    }
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        file->code = errno;
        close(descriptor);
        return IMAGING_FILE_ERRNO;
    }
    if (!S_ISREG(status.st_mode)) {
        file->code = S_ISDIR(status.st_mode) ? EISDIR : 0;
        close(descriptor);
        return IMAGING_FILE_NOT_REGULAR;
    }
    file->descriptor = descriptor;
    file->size = status.st_size;
    return IMAGING_FILE_OK;
}

int64_t imaging_file_read(imaging_file *file, int64_t offset, uint8_t *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t read = pread(file->descriptor, bytes + done, count - done, offset + (off_t)done);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) {
            file->code = errno;
            return -1;
        }
        if (read == 0) break;
        done += (size_t)read;
    }
    return (int64_t)done;
}

void imaging_file_close(imaging_file *file) {
    if (file->descriptor >= 0) close(file->descriptor);
    file->descriptor = -1;
}
