import { createTheme, MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'
import { createQueries } from '../api/query-client.ts'
import { SignInGate } from '../sign-in/sign-in-gate.tsx'
import { createPages } from './router.tsx'

const theme = createTheme({
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: {
      defaultProps: {
        lockScroll: false, // the lock writes a style tag, which the policy refuses
        overlayProps: { backgroundOpacity: 0.6 },
        attributes: { header: { role: 'none' } }, // or a dialog's head counts as a second banner of the page
      },
    },
  },
})

/** Everything: the theme without inline styles, what was read from the server, and the pages behind the sign-in. */
export function App({ code }: { code: string | undefined }) {
  const [queries] = useState(createQueries)
  const [router] = useState(createPages)
  return (
    <MantineProvider theme={theme} forceColorScheme="dark" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <SignInGate code={code}>
          <RouterProvider router={router} />
        </SignInGate>
      </QueryClientProvider>
    </MantineProvider>
  )
}
