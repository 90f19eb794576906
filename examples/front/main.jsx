// A page that makes a brand: four logos with previews, a pick, and that logo on a mug. It holds no user's token: its back
// end (../backend.py or ../backend.mjs) submits, and hands it one that reads and follows this brand alone.
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { BmnProvider, useBrandAssets, useJob, useJobs, usePictures, useSocket } from 'bmn-web';

const BMN = import.meta.env.VITE_BMN ?? 'http://127.0.0.1:3000';
const BACKEND = import.meta.env.VITE_BACKEND ?? 'http://127.0.0.1:4000';
const LOGOS = 4;
const OVER = ['failed', 'cancelled'];

/** Asks the back end. */
async function ask(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(BACKEND + path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

const tokens = new Map(); // brand -> the token that was handed out last
async function freshToken(brandId) {
  tokens.set(brandId, (await ask(`/brands/${brandId}/token`)).token);
  return tokens.get(brandId);
}

/** The brand stands behind the #, so that a reload and another tab show the same one. */
function useBrandInAddress() {
  const read = () => new URLSearchParams(window.location.hash.slice(1)).get('brand');
  const [brandId, setBrandId] = useState(read);
  useEffect(() => {
    const look = () => setBrandId(read());
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return [brandId, (id) => (window.location.hash = `brand=${id}`)];
}

/** What a click does, while it does it, and why it was refused. */
function useAct() {
  const [state, setState] = useState({ busy: false, problem: null });
  async function act(work) {
    setState({ busy: true, problem: null });
    try {
      const answer = await work();
      setState({ busy: false, problem: null });
      return answer;
    } catch (error) {
      setState({ busy: false, problem: error.message });
      return null;
    }
  }
  return { ...state, act };
}

function App() {
  const [brandId, show] = useBrandInAddress();
  if (!brandId) return <Begin onBegun={show} />;
  return (
    <BmnProvider
      key={brandId}
      url={BMN}
      getToken={() => tokens.get(brandId) ?? freshToken(brandId)}
      refreshToken={() => freshToken(brandId)}
    >
      <Brand brandId={brandId} />
    </BmnProvider>
  );
}

function Begin({ onBegun }) {
  const { busy, problem, act } = useAct();
  const [name, setName] = useState('');
  async function begin(event) {
    event.preventDefault();
    const made = await act(() => ask('/brands', { name }));
    if (made) onBegun(made.brandId);
  }
  return (
    <form onSubmit={begin}>
      <h1>Your brand</h1>
      <input aria-label="Brand name" value={name} onChange={(event) => setName(event.target.value)} required />
      <button disabled={busy}>Make four logos</button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}

function Brand({ brandId }) {
  const { connected, error } = useSocket('/wizard');
  const { jobs, error: problem } = useJobs({ brand: brandId });
  const newest = (queue) => jobs.find(({ queueName }) => queueName === queue)?.jobId;
  return (
    <main>
      <h1>{jobs[0]?.brandName ?? (problem ? 'Nothing to show' : '…')}</h1>
      <p role="status">{connected ? 'live' : ((error ?? problem)?.message ?? 'reconnecting…')}</p>
      <Made brandId={brandId} jobId={newest('logo-generation')} count={LOGOS} noun="Logo" />
      <Made brandId={brandId} jobId={newest('mockup-generation')} count={1} noun="Mug" />
      <p><a href="#">Another brand</a></p>
    </main>
  );
}

/** What one job makes, from its place in line to its pictures. A tab that did not begin it shows the same. */
function Made({ brandId, jobId, count, noun }) {
  const { pictures } = usePictures(jobId, jobId ? count : 0);
  const { status, message, position, ended, error } = useJob(jobId);
  const { assets } = useBrandAssets(brandId);
  const { busy, problem, act } = useAct();
  const picked = new Set(assets.filter(({ isSelected }) => isSelected).map(({ id }) => id));
  if (!jobId) return null;
  return (
    <section aria-label={noun}>
      <p>{position ? `${position} ahead of it` : (error ?? message)}</p>
      <ul>
        {pictures.map(({ index, asset, preview, share }) => (
          <li key={index}>
            {asset || preview ? (
              <img className={asset ? 'done' : 'rough'} src={asset?.url ?? preview} alt={`${noun} ${index + 1}`} />
            ) : (
              <progress aria-label={`${noun} ${index + 1}`} max="100" value={share} />
            )}
            {noun === 'Logo' && asset && (
              <button
                aria-pressed={picked.has(asset.id)}
                disabled={busy}
                onClick={() => act(() => ask(`/brands/${brandId}/pick/${asset.id}`))}
              >
                Pick logo {index + 1}
              </button>
            )}
          </li>
        ))}
      </ul>
      {!ended && <button disabled={busy} onClick={() => act(() => ask(`/jobs/${jobId}/cancel`))}>Stop</button>}
      {OVER.includes(status) && <button disabled={busy} onClick={() => act(() => ask(`/jobs/${jobId}/retry`))}>Try again</button>}
      {problem && <p role="alert">{problem}</p>}
    </section>
  );
}

createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);
