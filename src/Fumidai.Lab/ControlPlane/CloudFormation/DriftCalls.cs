using System.Collections.Concurrent;
using System.Globalization;

namespace Fumidai.Lab;

/// <summary>Drift: what the model is, against what the template made of it. Only properties that the template wrote are compared, and tags.</summary>
internal sealed class DriftCalls(LabContext context, StackTable stacks)
{
    private readonly ConcurrentDictionary<string, Detection> _detections = new(StringComparer.Ordinal);

    private sealed class Detection(Stack stack, DateTimeOffset at)
    {
        public Stack Stack => stack;
        public DateTimeOffset At => at;
        public bool IsDone { get; set; }
        public int Drifted { get; set; }
    }

    public AwsAnswer Detect(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        if (stack.IsBusy || stack.Status is "REVIEW_IN_PROGRESS" or "DELETE_COMPLETE" or "ROLLBACK_COMPLETE")
            throw Template.Wrong($"Drift detection cannot be performed on stack [{stack.Id}] in its current state [{stack.Status}].");
        var chosen = form.Texts("LogicalResourceIds.member");
        var id = Guid.NewGuid().ToString();
        var detection = _detections[id] = new Detection(stack, context.Time.GetUtcNow());
        context.Transitions.Start($"Drift of {stack.Name}", () => context.Model.Change(m =>
        {
            foreach (var resource in stack.Resources.Values.Where(r => r.IsThere && (chosen.Count == 0 || chosen.Contains(r.LogicalId))))
                Compare(m, resource, context.Time.GetUtcNow());
            detection.Drifted = stack.Resources.Values.Count(r => r.DriftStatus is "MODIFIED" or "DELETED");
            stack.DriftStatus = detection.Drifted > 0 ? "DRIFTED" : "IN_SYNC";
            stack.DriftCheckedAt = context.Time.GetUtcNow();
            detection.IsDone = true;
            return 0;
        }));
        return new XmlText().Element("StackDriftDetectionId", id).ToAnswer();
    }

    public AwsAnswer Status(AwsCall call, QueryForm form)
    {
        var id = form.Required("StackDriftDetectionId");
        if (!_detections.TryGetValue(id, out var detection) || detection.Stack.Account != call.Caller.Account)
            throw Template.Wrong($"Drift detection {id} does not exist");
        return context.Model.Read(_ => new XmlText().Element("StackId", detection.Stack.Id).Element("StackDriftDetectionId", id).Element("Timestamp", detection.At)
            .Element("DetectionStatus", detection.IsDone ? "DETECTION_COMPLETE" : "DETECTION_IN_PROGRESS").Element("StackDriftStatus", detection.IsDone ? detection.Stack.DriftStatus : null)
            .Element("DriftedStackResourceCount", detection.IsDone ? detection.Drifted : null).ToAnswer());
    }

    public AwsAnswer Describe(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        var wanted = form.Texts("StackResourceDriftStatusFilters.member");
        return context.Model.Read(_ =>
        {
            var all = stack.Resources.Values.Where(r => r.DriftStatus != "NOT_CHECKED" && (wanted.Count == 0 || wanted.Contains(r.DriftStatus))).ToList();
            var (page, next) = Paging.Cut(all, form.Text("NextToken"), form.Number("MaxResults") ?? 100, () => Template.Wrong("NextToken is not valid"));
            return new XmlText().List("StackResourceDrifts", "member", page, (x, r) => StackXml.ResourceDrift(x, stack, r)).Element("NextToken", next).ToAnswer();
        });
    }

    private static void Compare(LabModel m, StackResource resource, DateTimeOffset now)
    {
        resource.DriftCheckedAt = now;
        (resource.Drifts, resource.Actual) = ([], null);
        if (!resource.Type.KnowsDrift)
            return;
        if (resource.Type.Current(m, resource) is not { } current)
        {
            resource.DriftStatus = "DELETED";
            return;
        }
        resource.Actual = current;
        var drifts = new List<PropertyDrift>();
        foreach (var (name, expected) in resource.Properties.Members.Where(p => p.Key != "Tags"))
        {
            if (resource.Type is SecurityGroupType && name is "SecurityGroupIngress" or "SecurityGroupEgress")
                continue;
            if (current.Members.TryGetValue(name, out var actual))
                Differ($"/{name}", expected, actual, drifts);
            else if (name == "IamInstanceProfile")
                drifts.Add(new PropertyDrift($"/{name}", "REMOVE", expected.ToJson(), null));
        }
        if (resource.Type is SecurityGroupType)
        {
            foreach (var direction in (RuleDirection[])[RuleDirection.Ingress, RuleDirection.Egress])
                Rules(resource.Properties, current, direction, drifts);
        }
        if (resource.Type.HasTags && resource.Type.Find(m, resource) is { } found)
            Tags(resource.Tags, found.Tags, drifts);
        resource.Drifts = drifts;
        resource.DriftStatus = drifts.Count > 0 ? "MODIFIED" : "IN_SYNC";
    }

    /// <summary>Lists of plain values are compared as sets, structures member by member as far as the template wrote them.</summary>
    private static void Differ(string path, TemplateNode expected, TemplateNode actual, List<PropertyDrift> into)
    {
        switch (expected, actual)
        {
            case (TemplateNode.Map a, TemplateNode.Map b):
                foreach (var (name, value) in a.Members)
                {
                    if (b[name] is { } other)
                        Differ($"{path}/{name}", value, other, into);
                }
                return;
            case (TemplateNode.Sequence { Items: var a }, TemplateNode.Sequence { Items: var b }) when a.Concat(b).All(i => i is TemplateNode.Scalar):
                foreach (var (i, one) in a.Index().Where(x => !b.Any(o => o.Value == x.Item.Value)))
                    into.Add(new PropertyDrift(string.Create(CultureInfo.InvariantCulture, $"{path}/{i}"), "REMOVE", one.Value, null));
                foreach (var (i, one) in b.Index().Where(x => !a.Any(o => o.Value == x.Item.Value)))
                    into.Add(new PropertyDrift(string.Create(CultureInfo.InvariantCulture, $"{path}/{i}"), "ADD", null, one.Value));
                return;
            case (TemplateNode.Sequence { Items: var a }, TemplateNode.Sequence { Items: var b }) when a.Count == b.Count:
                foreach (var (i, (x, y)) in a.Zip(b).Index())
                    Differ(string.Create(CultureInfo.InvariantCulture, $"{path}/{i}"), x, y, into);
                return;
            case (TemplateNode.Scalar a, TemplateNode.Scalar b) when double.TryParse(a.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) && double.TryParse(b.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var y):
                if (x != y)
                    into.Add(new PropertyDrift(path, "NOT_EQUAL", a.Text, b.Text));
                return;
            case (TemplateNode.Scalar a, TemplateNode.Scalar b) when string.Equals(a.Text, b.Text, StringComparison.OrdinalIgnoreCase):
                return;
            default:
                if (!TemplateNode.Same(expected, actual))
                    into.Add(new PropertyDrift(path, "NOT_EQUAL", Shown(expected), Shown(actual)));
                return;
        }
    }

    private static string Shown(TemplateNode node) => node.Value ?? node.ToJson();

    private static void Rules(TemplateNode.Map properties, TemplateNode.Map current, RuleDirection direction, List<PropertyDrift> into)
    {
        var name = $"SecurityGroup{direction}";
        var wanted = SecurityGroupType.Wanted(properties, direction);
        var have = current[name]!.Items;
        foreach (var (i, rule) in wanted.Index().Where(x => !have.Any(h => TemplateNode.Same(h, x.Item))))
            into.Add(new PropertyDrift(string.Create(CultureInfo.InvariantCulture, $"/{name}/{i}"), "REMOVE", rule.ToJson(), null));
        foreach (var (i, rule) in have.Index().Where(x => !wanted.Any(w => TemplateNode.Same(w, x.Item))))
            into.Add(new PropertyDrift(string.Create(CultureInfo.InvariantCulture, $"/{name}/{i}"), "ADD", null, rule.ToJson()));
    }

    private static void Tags(IReadOnlyDictionary<string, string> expected, Dictionary<string, string> actual, List<PropertyDrift> into)
    {
        static string Json(string key, string value) => new TemplateNode.Map(new Dictionary<string, TemplateNode> { ["Key"] = new TemplateNode.Scalar(key), ["Value"] = new TemplateNode.Scalar(value) }).ToJson();
        foreach (var (key, value) in expected)
        {
            if (!actual.TryGetValue(key, out var now))
                into.Add(new PropertyDrift($"/Tags/{key}", "REMOVE", Json(key, value), null));
            else if (now != value)
                into.Add(new PropertyDrift($"/Tags/{key}/Value", "NOT_EQUAL", value, now));
        }
        // Tags of AWS's and of the lab's own machines are nobody's drift.
        foreach (var (key, value) in actual.Where(t => !expected.ContainsKey(t.Key) && !t.Key.StartsWith("aws:", StringComparison.Ordinal) && t.Key is not (Bastion.PortTag or Bastion.UserTag)))
            into.Add(new PropertyDrift($"/Tags/{key}", "ADD", null, Json(key, value)));
    }
}
