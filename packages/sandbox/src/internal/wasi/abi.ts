/**
 * Numbers of WASI preview 1 (`wasi_snapshot_preview1`), from its witx definition.
 */

/** Error numbers. */
export const Errno = {
  Success: 0,
  TooBig: 1,
  BadFileDescriptor: 8,
  Exists: 20,
  Fault: 21,
  IllegalBytes: 25,
  Invalid: 28,
  IsDirectory: 31,
  TooManyFiles: 33,
  NameTooLong: 37,
  NoEntry: 44,
  NotSupported: 52,
  NotDirectory: 54,
  NotTerminal: 59,
  Overflow: 61,
  ReadOnlyFileSystem: 69,
  IllegalSeek: 70,
  NotCapable: 76,
} as const;

/** File types. */
export const FileType = { Unknown: 0, Directory: 3, RegularFile: 4 } as const;

/** Rights, a 64-bit set: bit n stands for right n of the definition. */
export const Right = {
  FdDatasync: 0x1n,
  FdRead: 0x2n,
  FdSeek: 0x4n,
  FdTell: 0x20n,
  FdWrite: 0x40n,
  FdAdvise: 0x80n,
  PathOpen: 0x2000n,
  FdReaddir: 0x4000n,
  PathReadlink: 0x8000n,
  PathFilestatGet: 0x40000n,
  FdFilestatGet: 0x200000n,
  PollFdReadwrite: 0x8000000n,
} as const;

/** Flags of `path_open`. */
export const OpenFlag = { Create: 1, Directory: 2, Exclusive: 4, Truncate: 8 } as const;

/**
 * Signatures of all functions of preview 1: `i` is 32 bits, `l` 64 bits, one letter a parameter. Each returns an error
 * number but `proc_exit`, which returns nothing.
 */
export const signatures: Readonly<Record<string, string>> = {
  args_get: "ii",
  args_sizes_get: "ii",
  environ_get: "ii",
  environ_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "ili",
  fd_advise: "illi",
  fd_allocate: "ill",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "ill",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "il",
  fd_filestat_set_times: "illi",
  fd_pread: "iiili",
  fd_prestat_get: "ii",
  fd_prestat_dir_name: "iii",
  fd_pwrite: "iiili",
  fd_read: "iiii",
  fd_readdir: "iiili",
  fd_renumber: "ii",
  fd_seek: "ilii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiilli",
  path_link: "iiiiiii",
  path_open: "iiiiillii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
};
