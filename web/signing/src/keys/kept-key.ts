import type { KeptKey } from './session-key.ts'

const store = 'keys'
const slot = 'session'

/** Where the session key stays between two visits: IndexedDB keeps a key that cannot be exported, and no other store does. */
export const keptKey = {
  read: () => inStore<KeptKey | undefined>('readonly', (keys) => keys.get(slot) as IDBRequest<KeptKey | undefined>),
  keep: (key: KeptKey) => inStore('readwrite', (keys) => keys.put(key, slot)),
  forget: () => inStore('readwrite', (keys) => keys.delete(slot)),
}

export type KeyStore = typeof keptKey

async function inStore<T>(mode: IDBTransactionMode, ask: (keys: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open()
  try {
    const transaction = database.transaction(store, mode)
    const request = ask(transaction.objectStore(store))
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve())
      transaction.addEventListener('abort', () => reject(transaction.error ?? keepsNone()))
    })
    return request.result
  } finally {
    database.close()
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('castellan-signing', 1)
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(store))
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? keepsNone()))
  })
}

function keepsNone(): Error {
  return new Error('this browser keeps no keys; a private window may be the reason')
}
