namespace Fumidai.Aws;

/// <summary>Where statements go, and who they are run as.</summary>
/// <param name="ResourceArn">The cluster's ARN.</param>
/// <param name="SecretArn">The secret with the login.</param>
/// <param name="Database">Database; null: the cluster's initial one.</param>
public sealed record DataApiAddress(string ResourceArn, string SecretArn, string? Database);

/// <summary>A named parameter: text, with a hint where it is more.</summary>
/// <param name="Name">Without the colon.</param>
/// <param name="Kind">Which member of the Field union.</param>
/// <param name="Text">The value; null: SQL null.</param>
/// <param name="TypeHint">JSON, UUID, TIMESTAMP, DATE, TIME, DECIMAL; null: none.</param>
public sealed record DataApiParameter(string Name, DataApiKind Kind, string? Text, string? TypeHint = null);

/// <summary>Members of the Data API's Field union that a parameter may have.</summary>
public enum DataApiKind
{
    /// <summary>stringValue.</summary>
    String,
    /// <summary>longValue.</summary>
    Long,
    /// <summary>doubleValue.</summary>
    Double,
    /// <summary>booleanValue.</summary>
    Boolean,
    /// <summary>blobValue, the text in base64.</summary>
    Blob,
}

/// <summary>One column as columnMetadata tells it.</summary>
/// <param name="Name">Label.</param>
/// <param name="TypeName">PostgreSQL's name of its type; <c>"schema"."name"</c> where that is not on the search path.</param>
/// <param name="Precision">Length or precision.</param>
/// <param name="Scale">Scale.</param>
public sealed record DataApiColumn(string Name, string TypeName, int Precision, int Scale);
