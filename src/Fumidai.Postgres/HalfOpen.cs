namespace Fumidai.Postgres;

/// <summary>
/// Clients that have connected and not yet signed in. When there are too many, the one that came first goes: an honest client needs
/// milliseconds, so thousands that dawdle push each other out and not the honest one.
/// </summary>
internal sealed class HalfOpen(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Place> _places = [];

    internal int Count
    {
        get
        {
            lock (_gate)
                return _places.Count;
        }
    }

    internal Place Enter()
    {
        Place? first = null;
        var place = new Place(this);
        lock (_gate)
        {
            if (_places.Count >= most && _places.First is { Value: var oldest } node)
            {
                first = oldest;
                _places.Remove(node);
            }
            _places.AddLast(place.Node);
        }
        first?.PushOut();
        return place;
    }

    private void Leave(Place place)
    {
        lock (_gate)
        {
            if (place.Node.List is not null)
                _places.Remove(place.Node);
        }
    }

    internal sealed class Place : IDisposable
    {
        private readonly HalfOpen _owner;
        // Made without a timer: the limit in time is another's.
        private readonly CancellationTokenSource _pushed = new();

        internal Place(HalfOpen owner)
        {
            _owner = owner;
            Node = new LinkedListNode<Place>(this);
            PushedOut = _pushed.Token;
        }

        internal LinkedListNode<Place> Node { get; }

        internal CancellationToken PushedOut { get; }

        // Not while another's lock is held, and on another thread: what is cancelled runs continuations.
        internal void PushOut() => _ = _pushed.CancelAsync();

        public void Dispose() => _owner.Leave(this);
    }
}
