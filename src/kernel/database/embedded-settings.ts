import type { DatabaseFolder } from './embedded-folder.ts'

/** For one operator's machine: little memory, everything durable, and no content of rows in the log. */
const settings = {
  cluster_name: 'castellan',
  listen_addresses: '',
  // every role, the owner too, must show its password; the folder decides nothing
  unix_socket_permissions: '0777',
  max_connections: '60',
  shared_buffers: '32MB',
  maintenance_work_mem: '32MB',
  work_mem: '4MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  wal_compression: 'on',
  huge_pages: 'off',
  jit: 'off',
  // each of these would be a process of its own
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  idle_in_transaction_session_timeout: '2min',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_checkpoints: 'off',
  // the code before the name: whoever connects chooses the name
  log_line_prefix: '%m [%p] %e %u ',
  // statements and error details carry rows, and a log has no label
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_parameter_max_length_on_error: '0',
}

/** The command line of the server. */
export function serverArguments(folder: DatabaseFolder, socketFolder: string, port: number, more: Readonly<Record<string, string>> = {}): string[] {
  const all = { ...settings, unix_socket_directories: socketFolder, port: String(port), ...more }
  return ['-D', folder.data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
