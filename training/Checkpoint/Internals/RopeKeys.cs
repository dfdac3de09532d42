namespace LatentMoE.Checkpoints.Internals;

/// <summary>
/// Rotary positions in <c>config.json</c>: rope_theta with rope_scaling beside it, or both in rope_parameters, as newer files have
/// them. Where DeepSeek's modelling code and transformers' disagree on a missing key, it is asked for.
/// </summary>
internal static class RopeKeys
{
    private const string Yarn = "yarn", Plain = "default";

    private static readonly string[] Known =
    [
        "type", "rope_type", "rope_theta", "partial_rotary_factor", "factor", "original_max_position_embeddings", "beta_fast", "beta_slow",
        "mscale", "mscale_all_dim", "truncate",
    ];

    public static (double Theta, YarnScaling? Scaling) Read(JsonKeys config, bool latent)
    {
        JsonKeys? scaling = config.Object("rope_scaling"), parameters = config.Object("rope_parameters");
        double theta = config.Number("rope_theta", parameters?.Number("rope_theta", 10_000.0) ?? 10_000.0);
        if (parameters is not null && parameters.Number("rope_theta", theta) != theta)
        {
            throw parameters.Wrong("rope_theta", $"the {theta:R} of the rope_theta beside it");
        }
        YarnScaling? old = Scaling(scaling, latent), recent = Scaling(parameters, latent);
        if (scaling is not null && parameters is not null && old != recent)
        {
            throw config.Wrong("rope_scaling", "the same scaling as in rope_parameters, or none beside it");
        }
        return (theta, old ?? recent);
    }

    private static YarnScaling? Scaling(JsonKeys? keys, bool latent)
    {
        if (keys is null)
        {
            return null;
        }
        string key = keys.Has("rope_type") ? "rope_type" : "type", type = keys.Text(key, Plain);
        if (keys.Has("rope_type") && keys.Text("type", type) != type)
        {
            throw keys.Wrong("type", $"the \"{type}\" of the rope_type beside it");
        }
        if (type != Plain && (type != Yarn || !latent))
        {
            throw keys.Wrong(key, latent ? $"\"{Plain}\" or \"{Yarn}\"" : $"\"{Plain}\" in a model of this family");
        }
        keys.RequireKnown(type == Plain ? Known[..4] : Known,
            $"It is an unknown key of rotary positions of type \"{type}\", which may mean other positions: take it out if it does not.");
        if (keys.Number("partial_rotary_factor", 1) != 1)
        {
            throw keys.Wrong("partial_rotary_factor", "1.0");
        }
        return type == Plain ? null : Stretched(keys);
    }

    private static YarnScaling Stretched(JsonKeys keys)
    {
        var yarn = new YarnScaling
        {
            Factor = keys.Number("factor"),
            OriginalMaxPositionEmbeddings = keys.Int("original_max_position_embeddings"),
            BetaFast = keys.Number("beta_fast", 32),
            BetaSlow = keys.Number("beta_slow", 1),
            Mscale = keys.Number("mscale", 1),
            MscaleAllDim = keys.Number("mscale_all_dim", 0),
        };
        bool both = keys.Number("mscale", 0) != 0 && yarn.MscaleAllDim != 0, neither = yarn.Mscale == 1 && yarn.MscaleAllDim == 0;
        if (!both && !neither)
        {
            throw new CheckpointException($"{keys.File}: mscale and mscale_all_dim of YaRN are {keys.Number("mscale", 0):R} and {yarn.MscaleAllDim:R} (0: none); "
                + "one without the other means different things to different programs. Give both, or neither.");
        }
        return !keys.Flag("truncate", true) ? throw keys.Wrong("truncate", "true") : yarn;
    }
}
