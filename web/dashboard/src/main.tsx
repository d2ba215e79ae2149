import '@mantine/core/styles/baseline.css'
import '@mantine/core/styles/default-css-variables.css'
import '@mantine/core/styles/global.css'
import '@mantine/core/styles/UnstyledButton.css'
import '@mantine/core/styles/Button.css'
import './app/theme.css'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { takeCode } from './app/sign-in-code.ts'

const code = takeCode(window.location, window.history)
createRoot(document.getElementById('root')!).render(<App code={code} />)
