import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BmnProvider } from 'bmn-web';

import { Logos } from './logos.jsx';
import { Wizard } from './wizard.jsx';

// A real page has its own sign-in. This one is handed the server and a token behind the #, which no server gets to see:
//   http://localhost:5173/#token=...&url=http://127.0.0.1:3000
// With &page=wizard it is a whole wizard instead.
const given = new URLSearchParams(window.location.hash.slice(1));
const Page = given.get('page') === 'wizard' ? Wizard : Logos;
const url = given.get('url') ?? 'http://127.0.0.1:3000';

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <BmnProvider url={url} getToken={() => given.get('token')}>
      <Page />
    </BmnProvider>
  </StrictMode>,
);
