// Before all else: schemas look at it as soon as they are made.
import './without-eval.js';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { TextProvider } from './i18n/text.js';
import { keptTheme, showTheme } from './state/theme.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/pages.css';

showTheme(keptTheme());

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <TextProvider>
      <App />
    </TextProvider>
  </StrictMode>,
);
