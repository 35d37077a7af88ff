// SPDX-License-Identifier: Apache-2.0
// The board's data service: keeps records and settings so that what it acknowledges survives a power cut. What it prints is its
// contract with the bench; nothing is printed before it is durable.
//   store put KEY VALUE          -> stored KEY
//   store burst PREFIX COUNT SIZE-> stored PREFIX-00000 CRC, one line a record
//   store get KEY                -> the value | missing | damaged (status 1)
//   store set NAME VALUE         -> set NAME
//   store config NAME            -> the value of a setting
//   store list                   -> KEY CRC, or KEY damaged
//   store verify                 -> store: N records, D damaged (status 1 if D)
// STORE_FLAW=no-fsync acknowledges before anything is on the disk; STORE_FLAW=in-place overwrites
// records where they stand, and keeps one `state` that way.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kMaxValue = 1 << 20 };

static const char *flaw(void) {
  const char *name = getenv("STORE_FLAW");
  return name ? name : "";
}

static uint32_t crc32(const unsigned char *p, size_t n) {
  uint32_t crc = ~0u;
  while (n--) {
    crc ^= *p++;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
  }
  return ~crc;
}

static void die(const char *what) {
  printf("store: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void sync_dir(const char *dir) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY);
  if (fd < 0 || fsync(fd) != 0) die(dir);
  close(fd);
}

// A record: "HC1 CRC LENGTH\n" and the value.
static uint32_t keep(const char *dir, const char *key, const unsigned char *value, size_t n) {
  char path[512], part[512], head[64];
  uint32_t crc = crc32(value, n);
  int in_place = !strcmp(flaw(), "in-place"), lazy = !strcmp(flaw(), "no-fsync");
  snprintf(path, sizeof path, "%s/%s", dir, key);
  snprintf(part, sizeof part, "%s/.part-%s", dir, key);
  int length = snprintf(head, sizeof head, "HC1 %08x %zu\n", crc, n);
  int fd = open(in_place ? path : part, O_WRONLY | O_CREAT | (in_place ? 0 : O_TRUNC), 0644);
  if (fd < 0 || write(fd, head, length) != length || write(fd, value, n) != (ssize_t)n) die(key);
  if (ftruncate(fd, length + (off_t)n) != 0) die(key);
  if (!lazy && fsync(fd) != 0) die(key);
  close(fd);
  if (!in_place) {
    if (rename(part, path) != 0) die(key);
    if (!lazy) sync_dir(dir);
  }
  return crc;
}

// Length of the value; -1: missing, -2: damaged. Half a record is never taken for a whole one.
static long load(const char *dir, const char *key, unsigned char *value, uint32_t *crc) {
  char path[512], head[64] = "";
  unsigned want = 0;
  size_t n = 0;
  snprintf(path, sizeof path, "%s/%s", dir, key);
  FILE *file = fopen(path, "rb");
  if (!file) return -1;
  long length = -2;
  if (fgets(head, sizeof head, file) && sscanf(head, "HC1 %8x %zu", &want, &n) == 2 && n <= kMaxValue && fread(value, 1, n, file) == n &&
      fgetc(file) == EOF && crc32(value, n) == want)
    length = (long)n;
  fclose(file);
  *crc = want;
  return length;
}

static int show(const char *dir, const char *key, unsigned char *value) {
  uint32_t crc;
  long n = load(dir, key, value, &crc);
  if (n < 0) return puts(n == -1 ? "missing" : "damaged"), 1;
  printf("%.*s\n", (int)n, (char *)value);
  return 0;
}

static int walk(const char *dir, unsigned char *value, int list) {
  int records = 0, damaged = 0;
  DIR *open_dir = opendir(dir);
  if (!open_dir) die(dir);
  for (struct dirent *entry; (entry = readdir(open_dir));) {
    uint32_t crc;
    if (entry->d_name[0] == '.') continue;
    ++records;
    if (load(dir, entry->d_name, value, &crc) < 0) {
      ++damaged;
      if (list) printf("%s damaged\n", entry->d_name);
    } else if (list) {
      printf("%s %08x\n", entry->d_name, crc);
    }
  }
  closedir(open_dir);
  if (!list) printf("store: %d records, %d damaged\n", records, damaged);
  return damaged != 0;
}

// The planted fault in-place: a state of 64 KiB, updated where it stands, block by block. Between two blocks it is neither old nor new.
static void keep_state(const char *dir, int number) {
  enum { kState = 64 * 1024, kBlock = 4096 };
  static unsigned char file[kState];
  char path[512];
  const size_t head = 32, n = kState - head;
  memset(file + head, 'a' + number % 26, n);
  memset(file, ' ', head);
  int length = snprintf((char *)file, head, "HC1 %08x %zu", crc32(file + head, n), n);
  file[length] = ' ';
  file[head - 1] = '\n';
  snprintf(path, sizeof path, "%s/state", dir);
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) die("state");
  for (size_t at = 0; at < kState; at += kBlock)
    if (pwrite(fd, file + at, kBlock, (off_t)at) != kBlock || fdatasync(fd) != 0) die("state");
  close(fd);
}

static void burst(const char *dir, const char *prefix, int count, size_t size, unsigned char *value) {
  for (int i = 0; i < count; ++i) {
    char key[256];
    snprintf(key, sizeof key, "%s-%05d", prefix, i);
    for (size_t at = 0; at < size; ++at) value[at] = (unsigned char)('a' + (at * 7 + (size_t)i * 13 + (unsigned char)prefix[at % strlen(prefix)]) % 26);
    uint32_t crc = keep(dir, key, value, size);
    if (!strcmp(flaw(), "in-place")) keep_state(dir, i);
    printf("stored %s %08x\n", key, crc);
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  static unsigned char value[kMaxValue + 1];
  const char *root = getenv("STORE_ROOT") ? getenv("STORE_ROOT") : "/data";
  char records[256], settings[256];
  snprintf(records, sizeof records, "%s/records", root);
  snprintf(settings, sizeof settings, "%s/settings", root);
  mkdir(records, 0755);
  mkdir(settings, 0755);
  const char *verb = argc > 1 ? argv[1] : "";
  if (!strcmp(verb, "put") && argc == 4) {
    keep(records, argv[2], (unsigned char *)argv[3], strlen(argv[3]));
    printf("stored %s\n", argv[2]);
  } else if (!strcmp(verb, "set") && argc == 4) {
    keep(settings, argv[2], (unsigned char *)argv[3], strlen(argv[3]));
    printf("set %s\n", argv[2]);
  } else if (!strcmp(verb, "burst") && argc == 5 && strlen(argv[2]) > 0 && strtoul(argv[4], NULL, 10) <= kMaxValue) {
    burst(records, argv[2], atoi(argv[3]), strtoul(argv[4], NULL, 10), value);
  } else if (!strcmp(verb, "get") && argc == 3) {
    return show(records, argv[2], value);
  } else if (!strcmp(verb, "config") && argc == 3) {
    return show(settings, argv[2], value);
  } else if (!strcmp(verb, "list") && argc == 2) {
    return walk(records, value, 1);
  } else if (!strcmp(verb, "verify") && argc == 2) {
    int failed = walk(records, value, 0);
    return walk(settings, value, 0) | failed;
  } else {
    puts("store: put KEY VALUE | burst PREFIX COUNT SIZE | get KEY | set NAME VALUE | config NAME | list | verify");
    return 2;
  }
  return 0;
}
