import { useState } from 'react';
import { useApi, useGenerationProgress, useSocket } from 'bmn-web';

/** What is being made is kept for this tab, so that a reload goes on with it. */
function useKept(name) {
  const [value, setValue] = useState(() => JSON.parse(sessionStorage.getItem(name) ?? 'null'));
  const keep = (next) => {
    sessionStorage.setItem(name, JSON.stringify(next));
    setValue(next);
  };
  return [value, keep];
}

export function Logos() {
  const api = useApi();
  const [name, setName] = useState('');
  const [job, setJob] = useKept('job');
  const [problem, setProblem] = useState(null);
  const { connected, error: connectionError } = useSocket('/wizard');
  const { status, progress, message, error, assets, ended } = useGenerationProgress(job?.brandId, job?.jobId);
  const busy = Boolean(job) && !ended;

  async function make(event) {
    event.preventDefault();
    setProblem(null);
    try {
      const { id: brandId } = await api('/brands', { method: 'POST', body: { name } });
      const { jobId } = await api('/generation/logos', { method: 'POST', body: { brandId } });
      setJob({ brandId, jobId });
    } catch (refusal) {
      setProblem(refusal.message);
    }
  }

  const wrong = problem ?? error ?? (connected ? null : connectionError?.message);
  return (
    <main>
      <header>
        <h1>Logos for your brand</h1>
        <span className="link">{connected ? 'live' : 'reconnecting…'}</span>
      </header>
      <form onSubmit={make}>
        <input
          aria-label="Brand name"
          placeholder="Brand name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          required
        />
        <button disabled={busy || !name.trim()}>Make four logos</button>
      </form>
      {job && <progress aria-label="Progress" max="100" value={progress} data-status={status} />}
      <p className={wrong ? 'words alarm' : 'words'} role="status">
        {wrong ?? message}
      </p>
      <ul className="pictures">
        {assets.map(({ id, url, metadata }, index) => (
          <li key={id}>
            <img src={url} alt={`Logo ${(metadata?.index ?? index) + 1}`} />
          </li>
        ))}
      </ul>
    </main>
  );
}
