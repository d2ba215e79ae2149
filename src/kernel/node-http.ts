/**
 * Node's own HTTP without the rest of it: an `import` of node:http reads everything that the module exports, and its `WebSocket` loads the
 * whole of Node's undici, which a process that lives for weeks keeps (6 MB, measured).
 */
export const { createServer, request } = process.getBuiltinModule('node:http')
