/** A page that follows the jobs behind its `#`: what a tab of a real application does, and nothing else. */

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { BmnProvider, useGenerationProgress, useSocket } from '../../src/index.js';

const given = new URLSearchParams(window.location.hash.slice(1));

function Job({ jobId }) {
  const { status, progress, assets } = useGenerationProgress(given.get('brand'), jobId);
  return <progress max="100" value={progress} data-status={status} data-assets={assets.length} />;
}

function Link() {
  const { connected, error } = useSocket('/wizard');
  return <p>{connected ? 'live' : (error?.message ?? 'connecting')}</p>;
}

createRoot(document.querySelector('main')).render(
  <StrictMode>
    <BmnProvider url={given.get('url')} getToken={() => given.get('token')}>
      <Link />
      {(given.get('jobs') ?? '').split(',').filter(Boolean).map((jobId) => (
        <Job key={jobId} jobId={jobId} />
      ))}
    </BmnProvider>
  </StrictMode>,
);
