// Package cutfs is a file system that has power cuts. It is there for tests: a
// process that is killed leaves its writes in the kernel, so killing it says
// nothing about what it forgot to sync. This file system forgets it.
//
// Mount loads a folder and serves it over FUSE. What is written lives in memory
// until it is synced. After Cut every operation fails with EIO, and Unmount
// leaves in the folder what a disk could hold at that instant.
//
// # What a disk may hold
//
// File data is durable once fsync, fdatasync or msync on its file has returned.
// Of the 4 KB pages that were written and not synced, the cut lets a random
// part reach the disk, some of them torn between two sectors of 512 bytes. A file
// that grows by writing grows on the disk as its pages get there, as ext4 with
// ordered data has it: the bytes at its end are there, or it is shorter.
// One that is given a size may have it without its pages, which are zeros. A file that was made shorter without a sync
// either is as it was before or has become shorter, never a mixture.
//
// Names are journaled in order, as ext4 does: a cut leaves a prefix of what was
// done to directories. Syncing a directory makes its names durable, and syncing
// a file those that it had by then; ext4 would write the whole journal at any
// sync. So a program that must not rely on the kindness of one file system
// fails here. Permissions are durable at once.
//
// # Maps
//
// Pages of a shared map are the kernel's until it writes them back. msync
// arrives as writes and an fsync. Before Cut takes effect, it lets the kernel
// write back what is dirty, every other time, so that mapped pages too can
// reach the disk without a sync; a cut that OnSync asks for does not. What the
// kernel writes back on its own is not waited for. A page that is written twice
// between two syncs can survive in its last form only.
//
// The process that mounts must not map files of the mount itself, nor read them
// while it holds what the server needs: run the program under test as a process
// of its own.
package cutfs
